//! A request of OpenAI's form in Anthropic's words.

use serde_json::{Map, Value, json};

use super::ANSWER;
use crate::llm::estimate;

/// The longest answer when a request does not say: the API must be told one.
const MAX_TOKENS: u64 = 2048;

/// The request in Anthropic's words.
pub(super) fn request(model: &str, body: &Map<String, Value>) -> Value {
    let messages = body.get("messages").and_then(Value::as_array);
    let messages = messages.map(Vec::as_slice).unwrap_or_default();
    let is_system =
        |message: &&Value| matches!(message["role"].as_str(), Some("system" | "developer"));
    let system: Vec<&str> = messages
        .iter()
        .filter(is_system)
        .filter_map(|message| message["content"].as_str())
        .collect();
    let turns: Vec<Value> = messages
        .iter()
        .filter(|message| !is_system(message))
        .map(turn)
        .collect();
    let most = estimate::asked(body).unwrap_or(MAX_TOKENS);
    let mut request = json!({ "model": model, "max_tokens": most, "messages": turns });
    if !system.is_empty() {
        request["system"] = json!(system.join("\n\n"));
    }
    for (ours, theirs) in [("temperature", "temperature"), ("top_p", "top_p")] {
        if let Some(value) = body.get(ours) {
            request[theirs] = value.clone();
        }
    }
    match body.get("stop") {
        Some(Value::String(stop)) => request["stop_sequences"] = json!([stop]),
        Some(stops @ Value::Array(_)) => request["stop_sequences"] = stops.clone(),
        _ => {}
    }
    offer(&mut request, body);
    request
}

/// Tools and the choice among them; a schema for the answer becomes a tool that must be called.
fn offer(request: &mut Value, body: &Map<String, Value>) {
    let tool = |function: &Value| {
        json!({
            "name": function["name"],
            "description": function["description"].as_str().unwrap_or_default(),
            "input_schema": function.get("parameters").cloned().unwrap_or(json!({ "type": "object" })),
        })
    };
    let tools = body.get("tools").and_then(Value::as_array);
    let tools: Vec<Value> = tools
        .into_iter()
        .flatten()
        .map(|function| tool(&function["function"]))
        .collect();
    let schema = body
        .get("response_format")
        .and_then(|format| format.pointer("/json_schema/schema"));
    if let (true, Some(schema)) = (tools.is_empty(), schema) {
        request["tools"] =
            json!([{ "name": ANSWER, "description": "Gives the answer.", "input_schema": schema }]);
        request["tool_choice"] = json!({ "type": "tool", "name": ANSWER });
    } else if !tools.is_empty() {
        request["tools"] = Value::Array(tools);
        request["tool_choice"] = match body.get("tool_choice") {
            Some(Value::String(choice)) if choice == "none" => json!({ "type": "none" }),
            Some(Value::String(choice)) if choice == "required" => json!({ "type": "any" }),
            Some(choice @ Value::Object(_)) => {
                json!({ "type": "tool", "name": choice["function"]["name"] })
            }
            _ => json!({ "type": "auto" }),
        };
    }
}

fn turn(message: &Value) -> Value {
    if message["role"] == "tool" {
        let result = json!({ "type": "tool_result", "tool_use_id": message["tool_call_id"], "content": message["content"] });
        return json!({ "role": "user", "content": [result] });
    }
    let mut parts = Vec::new();
    match &message["content"] {
        Value::String(text) if !text.is_empty() => {
            parts.push(json!({ "type": "text", "text": text }));
        }
        Value::Array(texts) => {
            parts.extend(texts.iter().filter(|part| part["type"] == "text").cloned());
        }
        _ => {}
    }
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        let arguments = call["function"]["arguments"].as_str().unwrap_or("{}");
        let input: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
        parts.push(json!({ "type": "tool_use", "id": call["id"], "name": call["function"]["name"], "input": input }));
    }
    json!({ "role": message["role"], "content": parts })
}
