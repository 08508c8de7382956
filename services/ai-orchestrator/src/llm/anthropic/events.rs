//! Anthropic's events in OpenAI's words, each as it comes.

use std::future;

use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::{Map, Value, json};

use super::{ANSWER, answer::reason};
use crate::llm::{ByteStream, sse};

/// The stream in OpenAI's words.
pub(super) fn translated(events: ByteStream) -> ByteStream {
    let translation = Translation::default();
    let pieces = events.scan(translation, |translation, piece| {
        let Ok(bytes) = piece;
        future::ready(Some(Ok(Bytes::from(translation.take(&bytes)))))
    });
    pieces
        .filter(|piece| future::ready(!matches!(piece, Ok(bytes) if bytes.is_empty())))
        .boxed()
}

/// What has to be remembered from one event to the next.
#[derive(Default)]
struct Translation {
    lines: sse::Lines,
    /// Members of every event.
    head: Map<String, Value>,
    prompt_tokens: u64,
    calls: usize,
    block: Block,
}

/// The part of the answer that is being told.
#[derive(Default, Clone, Copy, PartialEq)]
enum Block {
    /// Text, or something that is not passed on.
    #[default]
    Other,
    /// The answer within a schema.
    Answer,
    /// A call; whether arguments have come.
    Call { has_arguments: bool },
}

impl Translation {
    fn take(&mut self, bytes: &[u8]) -> String {
        let mut out = String::new();
        for data in self.lines.take(bytes) {
            if let Ok(event) = serde_json::from_str::<Value>(&data) {
                self.event(&event, &mut out);
            }
        }
        out
    }

    fn event(&mut self, event: &Value, out: &mut String) {
        match event["type"].as_str() {
            Some("message_start") => {
                let message = &event["message"];
                for name in ["id", "model"] {
                    self.head.insert(name.to_owned(), message[name].clone());
                }
                self.prompt_tokens = message["usage"]["input_tokens"].as_u64().unwrap_or(0);
                self.delta(&json!({ "role": "assistant", "content": "" }), out);
            }
            Some("content_block_start") => self.begin(&event["content_block"], out),
            Some("content_block_delta") => self.more(&event["delta"], out),
            Some("content_block_stop") => self.end(out),
            Some("message_delta") => self.over(event, out),
            Some("message_stop") => out.push_str("data: [DONE]\n\n"),
            Some("ping") => {}
            // Also what the relay says of a stream that broke off, which is in OpenAI's words already.
            _ if event["error"].is_object() => {
                let message = &event["error"]["message"];
                let code = event["error"].get("code");
                let code = code.cloned().unwrap_or(json!("provider_error"));
                tell(
                    &json!({ "error": { "code": code, "message": message } }),
                    out,
                );
            }
            _ => {}
        }
    }

    fn begin(&mut self, block: &Value, out: &mut String) {
        self.block = Block::Other;
        if block["type"] != "tool_use" {
            return;
        }
        if block["name"] == ANSWER {
            self.block = Block::Answer;
            return;
        }
        self.calls += 1;
        self.block = Block::Call {
            has_arguments: false,
        };
        let function = json!({ "name": block["name"], "arguments": "" });
        self.call(
            json!({ "id": block["id"], "type": "function", "function": function }),
            out,
        );
    }

    fn more(&mut self, delta: &Value, out: &mut String) {
        let piece = match delta["type"].as_str() {
            Some("text_delta") => &delta["text"],
            Some("input_json_delta") => &delta["partial_json"],
            _ => return,
        };
        let Some(piece) = piece.as_str().filter(|piece| !piece.is_empty()) else {
            return;
        };
        if let Block::Call { has_arguments } = &mut self.block {
            *has_arguments = true;
            self.call(json!({ "function": { "arguments": piece } }), out);
        } else {
            self.delta(&json!({ "content": piece }), out);
        }
    }

    /// A call without arguments has an empty object, not nothing.
    fn end(&mut self, out: &mut String) {
        let has_none = Block::Call {
            has_arguments: false,
        };
        if self.block == has_none {
            self.call(json!({ "function": { "arguments": "{}" } }), out);
        }
        self.block = Block::Other;
    }

    fn over(&self, event: &Value, out: &mut String) {
        if let Some(stopped) = event["delta"]["stop_reason"].as_str() {
            let reason = reason(Some(stopped), self.calls > 0);
            let choice = json!({ "index": 0, "delta": {}, "finish_reason": reason });
            self.chunk(json!([choice]), None, out);
        }
        if let Some(written) = event["usage"]["output_tokens"].as_u64() {
            let read = self.prompt_tokens;
            let usage = json!({ "prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written });
            self.chunk(json!([]), Some(usage), out);
        }
    }

    fn call(&self, mut piece: Value, out: &mut String) {
        piece["index"] = json!(self.calls.saturating_sub(1));
        self.delta(&json!({ "tool_calls": [piece] }), out);
    }

    fn delta(&self, delta: &Value, out: &mut String) {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": null });
        self.chunk(json!([choice]), None, out);
    }

    fn chunk(&self, choices: Value, usage: Option<Value>, out: &mut String) {
        let mut chunk = self.head.clone();
        chunk.insert("object".to_owned(), json!("chat.completion.chunk"));
        chunk.insert("created".to_owned(), json!(0));
        chunk.insert("choices".to_owned(), choices);
        if let Some(usage) = usage {
            chunk.insert("usage".to_owned(), usage);
        }
        tell(&Value::Object(chunk), out);
    }
}

fn tell(event: &Value, out: &mut String) {
    out.push_str("data: ");
    out.push_str(&event.to_string());
    out.push_str("\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::assemble::Assembly;

    /// An answer with text, a call with arguments in pieces, and a call without.
    const TOLD: &str = concat!(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"claude\",\"usage\":{\"input_tokens\":12,\"output_tokens\":1}}}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
        "event: ping\ndata: {\"type\":\"ping\"}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Let me\"}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" see, Zoë.\"}}\n\n",
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"find\",\"input\":{}}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"name\\\":\"}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"\\\"Ada\\\"}\"}}\n\n",
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":1}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":2,\"content_block\":{\"type\":\"tool_use\",\"id\":\"toolu_2\",\"name\":\"list\",\"input\":{}}}\n\n",
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":2}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_tokens\":7}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    );

    fn assembled(told: &str) -> Assembly {
        let mut assembly = Assembly::default();
        assembly.take(told.as_bytes());
        assembly
    }

    #[test]
    fn an_answer_is_the_same_however_its_bytes_come() {
        let at_once = Translation::default().take(TOLD.as_bytes());
        let mut translation = Translation::default();
        let bytes = TOLD.as_bytes().chunks(1);
        let in_pieces: String = bytes.map(|byte| translation.take(byte)).collect();
        assert_eq!(at_once, in_pieces);
        assert!(at_once.ends_with("data: [DONE]\n\n"));
        let document = assembled(&at_once).document().unwrap();
        let choice = &document["choices"][0];
        assert_eq!(choice["finish_reason"], "tool_calls");
        assert_eq!(choice["message"]["content"], "Let me see, Zoë.");
        let calls = [
            json!({ "id": "toolu_1", "type": "function", "function": { "name": "find", "arguments": "{\"name\":\"Ada\"}" } }),
            json!({ "id": "toolu_2", "type": "function", "function": { "name": "list", "arguments": "{}" } }),
        ];
        assert_eq!(choice["message"]["tool_calls"], json!(calls));
        let usage = json!({ "prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19 });
        assert_eq!(
            (&document["usage"], &document["model"]),
            (&usage, &json!("claude"))
        );
    }

    #[test]
    fn an_answer_within_a_schema_is_text_and_an_error_is_an_error() {
        let text = TOLD.replace("\"find\"", "\"give_answer\"");
        let text = Translation::default().take(text.as_bytes());
        let document = assembled(&text).document().unwrap();
        let message = &document["choices"][0]["message"];
        assert_eq!(message["content"], "Let me see, Zoë.{\"name\":\"Ada\"}");
        let overloaded = "data: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
        let told = Translation::default().take(overloaded.as_bytes());
        assert!(assembled(&told).is_error(), "{told}");
    }
}
