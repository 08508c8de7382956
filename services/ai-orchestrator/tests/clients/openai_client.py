"""OpenAI's own client against the service: chats, streams, tools, schemas, vectors, models, errors."""

import json
import sys

import openai

client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key=sys.argv[2], max_retries=0, timeout=120)
HELLO = [{"role": "user", "content": "Say hello in one sentence."}]
SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string", "maxLength": 40}},
    "required": ["title"],
    "additionalProperties": False,
}

names = [model.id for model in client.models.list()]
assert "smollm2-135m" in names and "all-MiniLM-L6-v2" in names, names

answer = client.chat.completions.create(model="smollm2-135m", messages=HELLO, temperature=0, max_tokens=24)
text = answer.choices[0].message.content
assert text.startswith("I'm glad you're here."), text
assert answer.usage.prompt_tokens == 36, answer.usage

pieces = client.chat.completions.create(model="smollm2-135m", messages=HELLO, temperature=0, max_tokens=6, stream=True)
said = "".join(chunk.choices[0].delta.content or "" for chunk in pieces if chunk.choices)
assert said and text.startswith(said), said

tool = {"type": "function", "function": {"name": "create_todo", "description": "Create a to-do", "parameters": SCHEMA}}
call = {"model": "smollm2-135m", "messages": HELLO, "tools": [tool], "tool_choice": "required", "max_tokens": 64}
answer = client.chat.completions.create(**call)
function = answer.choices[0].message.tool_calls[0].function
assert function.name == "create_todo" and "title" in json.loads(function.arguments), function

chunks = list(client.chat.completions.create(**call, stream=True))
calls = [chunk.choices[0].delta.tool_calls for chunk in chunks if chunk.choices and chunk.choices[0].delta.tool_calls]
assert calls[0][0].function.name == "create_todo", chunks

schema = {"type": "json_schema", "json_schema": {"name": "todo", "schema": SCHEMA, "strict": True}}
answer = client.chat.completions.create(model="smollm2-135m", messages=HELLO, response_format=schema, max_tokens=64)
assert list(json.loads(answer.choices[0].message.content)) == ["title"], answer

vectors = client.embeddings.create(model="all-MiniLM-L6-v2", input=["a", "b"], encoding_format="float")
assert [len(item.embedding) for item in vectors.data] == [384, 384]
# The client asks for base64 when it is not told otherwise.
vectors = client.embeddings.create(model="all-MiniLM-L6-v2", input="a")
assert len(vectors.data[0].embedding) == 384

try:
    client.with_options(api_key="wrong").models.list()
    raise SystemExit("a wrong key was taken")
except openai.AuthenticationError:
    pass
print("all good")
