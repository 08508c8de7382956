//! Anthropic's API: OpenAI's wire format translated to it and back.

use std::time::Duration;

use bz_kernel::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use url::Url;

use super::{LlmError, estimate, read};

/// The version of the API that is spoken.
const VERSION: &str = "2023-06-01";
/// How much of an answer is read.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// The longest answer when a request does not say: the API must be told one.
const MAX_TOKENS: u64 = 2048;
/// The tool by which an answer within a schema is given.
const ANSWER: &str = "give_answer";

/// A client. Cheap to clone.
#[derive(Clone)]
pub(super) struct Anthropic {
    pub(super) http: reqwest::Client,
    pub(super) base: Url,
    pub(super) key: Option<SecretString>,
    pub(super) deadline: Duration,
}

impl Anthropic {
    /// A whole answer. Dropping the future closes the connection.
    pub(super) async fn complete(
        &self,
        model: &str,
        body: &Map<String, Value>,
    ) -> Result<Value, LlmError> {
        let work = async {
            let mut request = self
                .http
                .post(
                    self.base
                        .join("v1/messages")
                        .map_err(|error| LlmError::Malformed(error.to_string()))?,
                )
                .header("anthropic-version", VERSION)
                .json(&request(model, body));
            if let Some(key) = &self.key {
                request = request.header("x-api-key", key.expose_secret());
            }
            let answer = request.send().await.map_err(LlmError::Unreachable)?;
            let status = answer.status();
            let bytes = read::at_most(answer, MAX_ANSWER_BYTES).await?;
            if !status.is_success() {
                return Err(LlmError::refused(status.as_u16(), &bytes));
            }
            let answer = serde_json::from_slice(&bytes)
                .map_err(|error| LlmError::Malformed(error.to_string()))?;
            completion(&answer)
        };
        let answer = tokio::time::timeout(self.deadline, work).await;
        answer.map_err(|_| LlmError::Deadline)?
    }
}

/// The request in Anthropic's words.
fn request(model: &str, body: &Map<String, Value>) -> Value {
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

/// The answer in OpenAI's words.
fn completion(answer: &Value) -> Result<Value, LlmError> {
    let parts = answer["content"]
        .as_array()
        .ok_or_else(|| LlmError::Malformed("no content in the answer".to_owned()))?;
    let mut text = String::new();
    let mut calls = Vec::new();
    for part in parts {
        match part["type"].as_str() {
            Some("text") => text.push_str(part["text"].as_str().unwrap_or_default()),
            Some("tool_use") if part["name"] == ANSWER => text = part["input"].to_string(),
            Some("tool_use") => {
                let function =
                    json!({ "name": part["name"], "arguments": part["input"].to_string() });
                calls.push(json!({ "id": part["id"], "type": "function", "function": function }));
            }
            _ => {}
        }
    }
    let reason = match answer["stop_reason"].as_str() {
        Some("max_tokens") => "length",
        Some("refusal") => "content_filter",
        _ if !calls.is_empty() => "tool_calls",
        _ => "stop",
    };
    let content = (!text.is_empty()).then_some(text);
    let mut message = json!({ "role": "assistant", "content": content });
    if !calls.is_empty() {
        message["tool_calls"] = Value::Array(calls);
    }
    let tokens = |name: &str| answer["usage"][name].as_u64().unwrap_or(0);
    let (read, written) = (tokens("input_tokens"), tokens("output_tokens"));
    Ok(json!({
        "id": answer["id"],
        "object": "chat.completion",
        "created": 0,
        "model": answer["model"],
        "choices": [{ "index": 0, "message": message, "finish_reason": reason }],
        "usage": { "prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written },
    }))
}
