use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};

use super::{ChatReply, ChatRequest, turn::Turn};
use crate::app::{AppState, ChatWrite};

/// Say something to the chatbot.
///
/// It understands to-do commands without a language model, acts in the CRM as the caller, and asks before it deletes
/// anything; "yes" or "no" answers. When the CRM cannot be reached the answer says so in `degraded`. With an
/// `Idempotency-Key` the same message may be sent again: it is answered once more and nothing is done twice.
#[utoipa::path(
    post, path = "/api/chat", tag = "chat",
    security(("bearer" = ["chat:write"])),
    params(IdempotencyKey),
    request_body = ChatRequest,
    responses(
        (status = 200, description = "The answer", body = ChatReply),
        (status = 404, description = "No such conversation of the caller", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        (status = 409, description = "The same message is being answered right now", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_chat(
    State(app): State<AppState>,
    caller: Can<ChatWrite>,
    key: IdempotencyKey,
    Json(request): Json<ChatRequest>,
) -> Result<Response, Problem> {
    let answer = Turn::new(&app, &caller, &request)
        .answer(key.as_deref())
        .await?;
    Ok(Json(answer).into_response())
}
