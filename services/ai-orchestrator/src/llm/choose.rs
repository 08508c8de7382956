//! Tools for models that know none: the request becomes one for an object within a JSON schema that names an action and
//! its arguments, and the object becomes the call again. A small model that is free to talk never calls anything; within
//! a schema every answer is a call.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::LlmError;

/// The action that is no tool: to say something.
const ANSWER: &str = "answer";

/// A request without tools, if it had any that may be called, or messages that speak of calls.
pub(super) fn without_tools(body: &Map<String, Value>) -> Map<String, Value> {
    let mut body = body.clone();
    let tools = offered(&body);
    let must = required(&body);
    body.remove("tools");
    body.remove("tool_choice");
    body.remove("parallel_tool_calls");
    let mut messages = plain_messages(&body);
    if !tools.is_empty() {
        let format = body.remove("response_format");
        let schema = format.and_then(|format| format.pointer("/json_schema/schema").cloned());
        let answer = (!must).then(|| schema.unwrap_or_else(|| json!({ "type": "string" })));
        instruct(&mut messages, &tools, answer.is_some());
        let schema = json!({ "name": "action", "schema": actions(&tools, answer), "strict": true });
        body.insert(
            "response_format".to_owned(),
            json!({ "type": "json_schema", "json_schema": schema }),
        );
    }
    body.insert("messages".to_owned(), Value::Array(messages));
    body
}

/// The tools that may be called: none, all, or the one that must.
pub(super) fn offered(body: &Map<String, Value>) -> Vec<Value> {
    let choice = body.get("tool_choice");
    if choice.is_some_and(|choice| choice == "none") {
        return Vec::new();
    }
    let named = choice.and_then(|choice| choice.pointer("/function/name"));
    let tools = body.get("tools").and_then(Value::as_array);
    let tools = tools.into_iter().flatten();
    let tools = tools.filter_map(|tool| tool.get("function"));
    tools
        .filter(|tool| named.is_none_or(|named| tool["name"] == *named))
        .cloned()
        .collect()
}

/// Whether one of the tools must be called.
fn required(body: &Map<String, Value>) -> bool {
    body.get("tool_choice")
        .is_some_and(|choice| choice == "required" || choice.is_object())
}

/// Calls and results as text, since a model without tools has no roles for them.
fn plain_messages(body: &Map<String, Value>) -> Vec<Value> {
    let messages = body.get("messages").and_then(Value::as_array);
    let messages = messages.into_iter().flatten().map(|message| {
        let calls = message["tool_calls"].as_array();
        if message["role"] == "tool" {
            let text = format!(
                "Result: {}",
                message["content"].as_str().unwrap_or_default()
            );
            return json!({ "role": "user", "content": text });
        }
        match calls.and_then(|calls| calls.first()) {
            None => message.clone(),
            Some(call) => {
                let arguments = call["function"]["arguments"].as_str().unwrap_or("{}");
                let arguments: Value = serde_json::from_str(arguments).unwrap_or_default();
                let action = json!({ "action": call["function"]["name"], "arguments": arguments });
                json!({ "role": "assistant", "content": action.to_string() })
            }
        }
    });
    messages.collect()
}

/// Tells the model of its actions, at the end of what it was told already.
fn instruct(messages: &mut Vec<Value>, tools: &[Value], may_answer: bool) {
    let mut text = String::from("Choose one action and write it as JSON.\nActions:");
    for tool in tools {
        let (name, about) = (&tool["name"], &tool["description"]);
        let arguments = &tool["parameters"]["properties"];
        let _never_fails = write!(text, "\n{name}: {about} Arguments: {arguments}");
    }
    if may_answer {
        text.push_str("\n\"answer\": \"Say something to the user.\" Arguments: the answer");
    }
    match messages.first_mut() {
        Some(first) if first["role"] == "system" => {
            let told = first["content"].as_str().unwrap_or_default();
            *first = json!({ "role": "system", "content": format!("{told}\n\n{text}") });
        }
        _ => messages.insert(0, json!({ "role": "system", "content": text })),
    }
}

/// The schema: one of the actions.
fn actions(tools: &[Value], answer: Option<Value>) -> Value {
    let action = |name: &Value, arguments: Value| {
        json!({
            "type": "object",
            "properties": { "action": { "const": name }, "arguments": arguments },
            "required": ["action", "arguments"],
            "additionalProperties": false,
        })
    };
    let arguments = |tool: &Value| match &tool["parameters"] {
        Value::Object(parameters) => Value::Object(parameters.clone()),
        _ => json!({ "type": "object", "additionalProperties": false }),
    };
    let mut all: Vec<Value> = tools
        .iter()
        .map(|tool| action(&tool["name"], arguments(tool)))
        .collect();
    all.extend(answer.map(|answer| action(&json!(ANSWER), answer)));
    match all.len() {
        1 => all.remove(0),
        _ => json!({ "anyOf": all }),
    }
}

/// The answer with its action as a call, or as text.
///
/// # Errors
/// [`LlmError::Malformed`] when it is no action, as an answer that was cut off is not.
pub(super) fn with_calls(mut answer: Value, id: &str) -> Result<Value, LlmError> {
    let content = answer.pointer("/choices/0/message/content");
    let content = content.and_then(Value::as_str).unwrap_or_default();
    let action: Value = serde_json::from_str(content)
        .map_err(|_| LlmError::Malformed("no action in the answer".to_owned()))?;
    let name = action["action"]
        .as_str()
        .ok_or_else(|| LlmError::Malformed("an action without a name".to_owned()))?;
    let (message, reason) = if name == ANSWER {
        let text = match &action["arguments"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        (json!({ "role": "assistant", "content": text }), "stop")
    } else {
        let arguments = action["arguments"].to_string();
        let call = json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } });
        (
            json!({ "role": "assistant", "content": null, "tool_calls": [call] }),
            "tool_calls",
        )
    };
    answer["choices"][0]["message"] = message;
    answer["choices"][0]["finish_reason"] = json!(reason);
    Ok(answer)
}
