//! A whole answer of Anthropic's in OpenAI's words.

use serde_json::{Value, json};

use super::ANSWER;
use crate::llm::LlmError;

/// The answer in OpenAI's words.
pub(super) fn completion(answer: &Value) -> Result<Value, LlmError> {
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
    let reason = reason(answer["stop_reason"].as_str(), !calls.is_empty());
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

/// Why the answer ended, in OpenAI's words.
pub(super) fn reason(stopped: Option<&str>, has_calls: bool) -> &'static str {
    match stopped {
        Some("max_tokens") => "length",
        Some("refusal") => "content_filter",
        _ if has_calls => "tool_calls",
        _ => "stop",
    }
}
