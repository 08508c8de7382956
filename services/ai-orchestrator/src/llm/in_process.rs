//! The model within the process as a provider: OpenAI's wire format to turns and back.

use std::time::Duration;

use bytes::Bytes;
use bz_inference::{Finish, Generate, Generated, Role, Turn};
use bz_kernel::Sources;
use futures_util::{StreamExt, stream};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{ByteStream, LlmError, estimate};
use crate::models::{ModelError, Models};

/// The longest answer when a request does not say.
const MAX_TOKENS: u64 = 512;

/// The model with what a request needs.
#[derive(Clone)]
pub(super) struct InProcess {
    pub(super) models: Models,
    pub(super) sources: Sources,
    /// For a whole answer.
    pub(super) deadline: Duration,
}

impl InProcess {
    /// A whole answer.
    pub(super) async fn complete(
        &self,
        model: &str,
        body: &Map<String, Value>,
    ) -> Result<Value, LlmError> {
        let made = self.models.chat(self.request(body), None);
        let made = tokio::time::timeout(self.deadline, made).await;
        let made = made.map_err(|_| LlmError::Deadline)??;
        let message = json!({ "role": "assistant", "content": made.text });
        let choice = json!({ "index": 0, "message": message, "finish_reason": reason(&made) });
        let mut answer = self.head("chat.completion", model);
        answer["choices"] = json!([choice]);
        answer["usage"] = usage(&made);
        Ok(answer)
    }

    /// An answer as events. Dropping the stream ends the work.
    pub(super) fn stream(&self, model: &str, body: &Map<String, Value>) -> ByteStream {
        let (pieces, arrived) = mpsc::unbounded_channel();
        let (models, request) = (self.models.clone(), self.request(body));
        let head = self.head("chat.completion.chunk", model);
        let work = async move { models.chat(request, Some(pieces)).await };
        let state = (Box::pin(work), arrived, head, Some(()));
        let events = stream::unfold(state, |(mut work, mut arrived, head, open)| async move {
            open?;
            let (bytes, open) = tokio::select! {
                biased;
                Some(piece) = arrived.recv() => {
                    (event(&head, &json!({ "content": piece }), &Value::Null), Some(()))
                }
                made = &mut work => (last(&head, &mut arrived, made), None),
            };
            Some((Ok(Bytes::from(bytes)), (work, arrived, head, open)))
        });
        events.boxed()
    }

    fn head(&self, object: &str, model: &str) -> Value {
        let id = format!("chatcmpl-{}", self.sources.id::<Uuid>().simple());
        let created = self.sources.now().timestamp();
        json!({ "id": id, "object": object, "created": created, "model": model })
    }

    fn request(&self, body: &Map<String, Value>) -> Generate {
        let messages = body.get("messages").and_then(Value::as_array);
        let turns = messages.into_iter().flatten().map(|message| Turn {
            role: match message["role"].as_str() {
                Some("system" | "developer") => Role::System,
                Some("assistant") => Role::Assistant,
                _ => Role::User,
            },
            content: text(&message["content"]),
        });
        let most = estimate::asked(body).unwrap_or(MAX_TOKENS);
        let temperature = body.get("temperature").and_then(Value::as_f64);
        let seed = body.get("seed").and_then(Value::as_u64);
        Generate {
            turns: turns.collect(),
            schema: schema(body),
            max_tokens: usize::try_from(most).unwrap_or(usize::MAX),
            temperature: temperature.unwrap_or(0.0) as f32,
            seed: seed.unwrap_or_else(|| self.sources.id::<Uuid>().as_u64_pair().1),
        }
    }
}

/// A message's text, also when it comes in parts.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let parts = parts.iter().filter_map(|part| part["text"].as_str());
            parts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

fn schema(body: &Map<String, Value>) -> Option<Value> {
    let format = body.get("response_format")?;
    match format["type"].as_str()? {
        "json_schema" => format.pointer("/json_schema/schema").cloned(),
        "json_object" => Some(json!({ "type": "object" })),
        _ => None,
    }
}

const fn reason(made: &Generated) -> &'static str {
    match made.finish {
        Finish::Length => "length",
        Finish::Stop | Finish::Ended => "stop",
    }
}

fn usage(made: &Generated) -> Value {
    json!({
        "prompt_tokens": made.prompt_tokens,
        "completion_tokens": made.completion_tokens,
        "total_tokens": made.prompt_tokens + made.completion_tokens,
    })
}

fn event(head: &Value, delta: &Value, reason: &Value) -> String {
    let mut event = head.clone();
    event["choices"] = json!([{ "index": 0, "delta": delta, "finish_reason": reason }]);
    format!("data: {event}\n\n")
}

/// What follows the last piece that was passed on: those that came with the end, why it ended, what it used.
fn last(
    head: &Value,
    arrived: &mut mpsc::UnboundedReceiver<String>,
    made: Result<Generated, ModelError>,
) -> String {
    let made = match made {
        Ok(made) => made,
        Err(error) => {
            let error = LlmError::from(error);
            let error = json!({ "code": error.code(), "message": error.to_string() });
            return format!("data: {}\n\n", json!({ "error": error }));
        }
    };
    let mut bytes = String::new();
    while let Ok(piece) = arrived.try_recv() {
        bytes.push_str(&event(head, &json!({ "content": piece }), &Value::Null));
    }
    bytes.push_str(&event(head, &json!({}), &json!(reason(&made))));
    let mut told = head.clone();
    told["choices"] = json!([]);
    told["usage"] = usage(&made);
    bytes.push_str(&format!("data: {told}\n\ndata: [DONE]\n\n"));
    bytes
}

impl From<ModelError> for LlmError {
    fn from(error: ModelError) -> Self {
        let refused = |status, message: String| Self::Refused { status, message };
        match error {
            ModelError::Busy => refused(429, error.to_string()),
            ModelError::NotLoaded => refused(503, error.to_string()),
            ModelError::Failed(bz_inference::Error::TooLong { tokens, limit }) => {
                Self::ContextTooLarge {
                    tokens: tokens as u64,
                    limit: limit as u64,
                }
            }
            ModelError::Failed(error @ bz_inference::Error::Schema(_)) => {
                refused(422, error.to_string())
            }
            ModelError::Failed(error) => Self::Malformed(error.to_string()),
        }
    }
}
