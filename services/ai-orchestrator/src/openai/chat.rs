use axum::{
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use bz_auth::Can;
use bz_http::{Errors, Json, Problem, Validate};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::LlmRead;
use crate::app::AppState;

/// The most messages that one request may carry.
const MAX_MESSAGES: usize = 1000;

/// A request as OpenAI's API defines it; fields that are not listed here are passed on as they are.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(super) struct ChatCompletionRequest {
    /// 1 to 1,000 messages.
    #[schema(min_items = 1, max_items = 1000)]
    messages: Vec<ChatMessage>,
    /// The configured model when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// Whether to answer by server-sent events.
    #[serde(default)]
    stream: bool,
    /// Everything else: `temperature`, `max_tokens`, `tools`, `response_format` ...
    #[serde(flatten)]
    #[schema(value_type = Object)]
    rest: Map<String, Value>,
}

/// A message; fields that are not listed here are passed on as they are.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
struct ChatMessage {
    /// `system`, `user`, `assistant` or `tool`.
    role: String,
    /// `content`, `tool_calls`, `tool_call_id` ...
    #[serde(flatten)]
    #[schema(value_type = Object)]
    rest: Map<String, Value>,
}

impl Validate for ChatCompletionRequest {
    fn validate(&self, errors: &mut Errors) {
        if self.messages.is_empty() || self.messages.len() > MAX_MESSAGES {
            errors.add(
                "/messages",
                "invalid_length",
                format!("must have 1 to {MAX_MESSAGES} messages"),
            );
        }
    }
}

/// Chat with the LLM (OpenAI's `chat/completions`).
#[utoipa::path(
    post, path = "/v1/chat/completions", tag = "openai",
    security(("bearer" = ["llm:read"])),
    request_body = ChatCompletionRequest,
    responses(
        (status = 200, description = "The provider's answer: a document, or events when `stream` is true",
         body = Object, content_type = "application/json"),
        bz_http::openapi::GatewayProblems,
    ),
)]
pub(super) async fn create_chat_completion(
    State(app): State<AppState>,
    _caller: Can<LlmRead>,
    Json(request): Json<ChatCompletionRequest>,
) -> Result<Response, Problem> {
    let llm = app.working_llm()?;
    let ChatCompletionRequest {
        messages,
        model,
        stream,
        rest: mut body,
    } = request;
    body.insert("messages".to_owned(), json!(messages));
    body.insert(
        "model".to_owned(),
        json!(model.unwrap_or_else(|| llm.model().to_owned())),
    );
    if !stream {
        return Ok(Json(llm.post("chat/completions", &body).await?).into_response());
    }
    body.insert("stream".to_owned(), json!(true));
    let events = llm.stream(&body).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::from_stream(events)).into_response())
}
