//! Reads a stream of OpenAI's events as it passes: the pieces of text for those who watch, the whole answer, its usage.

use serde_json::{Map, Value, json};

use super::{LlmError, Usage, chat, estimate, sse};

/// The most calls of one answer.
const MAX_CALLS: usize = 256;

/// The answer of a stream so far.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    lines: sse::Lines,
    content: String,
    calls: Vec<Value>,
    finish_reason: Option<Value>,
    model: Option<Value>,
    usage: Option<Value>,
    done: bool,
    error: Option<Value>,
    bytes: usize,
}

impl Assembly {
    /// Takes in what arrived; answers the text that came with it.
    pub(super) fn take(&mut self, bytes: &[u8]) -> String {
        let mut text = String::new();
        for data in self.lines.take(bytes) {
            self.event(&data, &mut text);
        }
        text
    }

    fn event(&mut self, data: &str, text: &mut String) {
        if data == "[DONE]" {
            self.done = true;
            return;
        }
        let Ok(mut event) = serde_json::from_str::<Map<String, Value>>(data) else {
            return;
        };
        if let Some(error) = event.remove("error") {
            self.error = Some(error);
        }
        self.model = event.remove("model").or(self.model.take());
        self.usage = event
            .remove("usage")
            .filter(Value::is_object)
            .or(self.usage.take());
        let Some(choice) = event.get("choices").and_then(|choices| choices.get(0)) else {
            return;
        };
        let reason = &choice["finish_reason"];
        if !reason.is_null() {
            self.finish_reason = Some(reason.clone());
        }
        let delta = &choice["delta"];
        if let Some(piece) = delta["content"].as_str() {
            text.push_str(piece);
            self.content.push_str(piece);
            self.bytes += piece.len();
        }
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            self.call(call);
        }
    }

    /// A piece of a call: the first one has its name, all of them have a part of the arguments.
    fn call(&mut self, piece: &Value) {
        let at = piece["index"]
            .as_u64()
            .and_then(|at| usize::try_from(at).ok());
        let at = at.unwrap_or(0).min(self.calls.len());
        if at == MAX_CALLS {
            self.error = Some(json!({ "code": "provider_error" }));
            return;
        }
        if at == self.calls.len() {
            let function = json!({ "name": "", "arguments": "" });
            self.calls
                .push(json!({ "id": "", "type": "function", "function": function }));
        }
        let call = &mut self.calls[at];
        for (place, field) in [("/id", "id"), ("/function/name", "name")] {
            let told = piece.pointer(place).and_then(Value::as_str);
            if let (Some(told), Some(slot)) = (
                told.filter(|told| !told.is_empty()),
                call.pointer_mut(place),
            ) {
                debug_assert!(place.ends_with(field));
                *slot = json!(told);
            }
        }
        let more = piece.pointer("/function/arguments").and_then(Value::as_str);
        if let Some(more) = more {
            self.bytes += more.len();
            let so_far = call["function"]["arguments"].as_str().unwrap_or_default();
            call["function"]["arguments"] = json!(format!("{so_far}{more}"));
        }
    }

    /// Whether the answer came to its end.
    pub(super) const fn is_whole(&self) -> bool {
        (self.done || self.finish_reason.is_some()) && self.error.is_none()
    }

    /// Whether it is nothing but an error.
    pub(super) const fn is_error(&self) -> bool {
        self.error.is_some()
    }

    /// What is wrong with an answer that has ended, and has not said so itself.
    pub(super) fn fault(&self, must_call: bool) -> Option<(&'static str, &'static str)> {
        if self.error.is_some() {
            None
        } else if !self.is_whole() {
            Some(("provider_error", "the LLM provider closed early"))
        } else if must_call && self.calls.is_empty() {
            Some(("tool_choice_ignored", "the LLM provider called no tool"))
        } else {
            None
        }
    }

    /// What the provider counted, or what came so far as far as that can be told.
    pub(super) fn usage(&self, prompt: u64) -> Usage {
        let told = self.usage.as_ref().map(|usage| json!({ "usage": usage }));
        told.as_ref()
            .and_then(chat::usage)
            .unwrap_or_else(|| Usage::estimated(prompt, estimate::about(self.bytes)))
    }

    /// The answer as if it had come at once.
    pub(super) fn document(self) -> Result<Value, LlmError> {
        if !self.is_whole() {
            let code = self.error.as_ref().map(|error| &error["code"]);
            return Err(match code {
                Some(code) if code == "deadline_exceeded" => LlmError::Deadline,
                Some(_) => LlmError::Malformed("the stream ended with an error".to_owned()),
                None => LlmError::Malformed("the stream ended early".to_owned()),
            });
        }
        let content = (!self.content.is_empty()).then_some(self.content);
        let mut message = json!({ "role": "assistant", "content": content });
        if !self.calls.is_empty() {
            message["tool_calls"] = Value::Array(self.calls);
        }
        let choice = json!({ "index": 0, "message": message, "finish_reason": self.finish_reason });
        let mut document = json!({ "object": "chat.completion", "choices": [choice] });
        for (name, value) in [("model", self.model), ("usage", self.usage)] {
            if let Some(value) = value {
                document[name] = value;
            }
        }
        Ok(document)
    }
}

/// An answer that came at once, as events.
pub(super) fn events(answer: &Value) -> Vec<Value> {
    let head = |choices: Value| {
        let mut event = json!({ "object": "chat.completion.chunk", "choices": choices });
        for name in ["id", "created", "model"] {
            event[name] = answer[name].clone();
        }
        event
    };
    let choice = &answer["choices"][0];
    let mut delta = choice["message"].clone();
    if let Some(calls) = delta["tool_calls"].as_array_mut() {
        for (index, call) in calls.iter_mut().enumerate() {
            call["index"] = json!(index);
        }
    }
    let mut last = head(json!([]));
    last["usage"] = answer["usage"].clone();
    vec![
        head(json!([{ "index": 0, "delta": delta, "finish_reason": null }])),
        head(json!([{ "index": 0, "delta": {}, "finish_reason": choice["finish_reason"] }])),
        last,
    ]
}
