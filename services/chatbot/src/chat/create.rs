use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{
        IntoResponse, Response,
        sse::{KeepAlive, Sse},
    },
};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem, context};
use serde_json::json;

use super::events::{self, Listener};
use super::turn::{Opening, Turn, to_the_end};
use super::{ChatReply, ChatRequest, limits};
use crate::app::{AppState, ChatWrite};

/// Say something to the chatbot.
///
/// It understands to-do commands without a language model, acts in the CRM as the caller, and asks before it deletes
/// anything; "yes" or "no" answers, as do `POST /api/chat/actions/{id}/confirm` and `/reject`. When a part of the platform
/// cannot be reached the answer says so in `degraded`. With an `Idempotency-Key` the same message may be sent again: it is
/// answered once more and nothing is done twice.
///
/// With `stream` the answer comes as server-sent events: `message.started`, `understood`, `action.preview`,
/// `action.executed`, `action.failed`, `degraded`, `confirmation.required`, `citation`, `delta` (a piece of the text) and
/// `message.completed` (the whole answer), or `error` (a problem). A client that was cut off sends the message again with its
/// `Idempotency-Key`.
#[utoipa::path(
    post, path = "/api/chat", tag = "chat",
    security(("bearer" = ["chat:write"])),
    params(IdempotencyKey),
    request_body = ChatRequest,
    responses(
        (status = 200, description = "The answer", content((ChatReply = "application/json"), (String = "text/event-stream"))),
        (status = 404, description = "No such conversation of the caller", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        (status = 409, description = "The same message is being answered right now", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        (status = 429, description = "Too many messages of the user or the tenant", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_chat(
    State(app): State<AppState>,
    caller: Can<ChatWrite>,
    key: IdempotencyKey,
    headers: HeaderMap,
    Json(request): Json<ChatRequest>,
) -> Result<Response, Problem> {
    limits::take(&app, &caller).await?;
    let streams = request.stream || wants_events(&headers);
    let turn = Turn::new(app, caller.into_caller(), request);
    if streams && !turn.request.dry_run {
        return stream(turn, key.as_deref()).await;
    }
    let (app, key) = (turn.app.clone(), key.as_deref().map(str::to_owned));
    let answer = to_the_end(&app, async move { turn.answer(key.as_deref()).await });
    Ok(Json(answer.await?).into_response())
}

fn wants_events(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    accepted.is_some_and(|kinds| kinds.trim_start().starts_with("text/event-stream"))
}

/// What can be refused is refused before the first event. What was begun is finished, also for a client that goes away.
async fn stream(mut turn: Turn, key: Option<&str>) -> Result<Response, Problem> {
    let opening = turn.open(key).await?;
    let (listener, heard) = Listener::new();
    turn.events = listener;
    let tasks = turn.app.core.tasks.clone();
    tasks.spawn(context::carry(async move {
        let answer = match opening {
            Opening::Answered(answer) => Ok(*answer),
            Opening::Noted(noted) => {
                let started =
                    json!({ "conversation_id": noted.conversation, "question_id": noted.message });
                turn.events.tell("message.started", started);
                turn.go_on(&noted).await.map(|(answer, _)| answer)
            }
        };
        match answer {
            Ok(answer) => turn.events.complete(&answer),
            Err(problem) => turn.events.tell("error", problem.document()),
        }
    }));
    let alive = KeepAlive::new().text("alive");
    Ok(Sse::new(events::stream(heard))
        .keep_alive(alive)
        .into_response())
}
