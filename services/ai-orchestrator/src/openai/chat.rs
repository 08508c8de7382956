use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use bz_auth::Can;
use bz_http::{Errors, Json, Problem, Validate};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::LlmRead;
use crate::{app::AppState, llm::Charge};

/// The most messages that one request may carry.
const MAX_MESSAGES: usize = 1000;

/// A request as OpenAI's API defines it; fields that are not listed here are passed on as they are.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(super) struct ChatCompletionRequest {
    /// 1 to 1,000 messages.
    #[schema(min_items = 1, max_items = 1000)]
    messages: Vec<ChatMessage>,
    /// A configured model, or the name of a provider; all providers are tried in their order when not given.
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
        (status = 402, description = "A hard budget has not enough left", content_type = "application/problem+json"),
        bz_http::openapi::GatewayProblems,
    ),
)]
pub(super) async fn create_chat_completion(
    State(app): State<AppState>,
    caller: Can<LlmRead>,
    Json(request): Json<ChatCompletionRequest>,
) -> Result<Response, Problem> {
    let gateway = app.working_gateway()?;
    let who = Charge::of_user(caller.tenant(), caller.user);
    let models: Vec<String> = request.model.into_iter().collect();
    let mut body = request.rest;
    body.insert("messages".to_owned(), json!(request.messages));
    if !request.stream {
        let asked = gateway.complete(&who, body, &models).await?;
        let headers = remaining(asked.remaining);
        return Ok((headers, Json(asked.answer)).into_response());
    }
    let asked = gateway.stream(&who, body, &models).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let events = Body::from_stream(asked.answer);
    Ok((headers, remaining(asked.remaining), events).into_response())
}

/// The header that says what is left of the tightest budget, when there is one.
fn remaining(tokens: Option<i64>) -> HeaderMap {
    let value = tokens.map(HeaderValue::from);
    value
        .map(|value| (HeaderName::from_static("x-budget-remaining-tokens"), value))
        .into_iter()
        .collect()
}
