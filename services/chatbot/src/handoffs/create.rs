use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bz_auth::{Caller, Can};
use bz_events::NewEvent;
use bz_http::{Errors, Json, Path, Problem, Validate};
use bz_kernel::{ConversationId, platform};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{Handoff, store};
use crate::actions::Target;
use crate::app::{AppState, ChatWrite};
use crate::conversations::{self, Conversation};
use crate::crm::{CrmError, Kind};

/// The longest reason.
const MAX_REASON: usize = 2000;

/// Why a person is wanted.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateHandoff {
    /// Why, 1 to 2,000 characters.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    reason: Option<String>,
}

impl Validate for CreateHandoff {
    fn validate(&self, errors: &mut Errors) {
        let Some(reason) = &self.reason else { return };
        let fits = reason.chars().count() <= MAX_REASON && !reason.trim().is_empty();
        if !fits || reason.contains('\0') {
            let message = "must have 1 to 2000 characters, not only spaces";
            errors.add("/reason", "invalid_length", message);
        }
    }
}

/// Hand a conversation to a person.
///
/// Makes a to-do in the CRM, as the caller, and tells the event `chat.handed_off`. A conversation is handed over once: asking
/// again answers the same handoff with 200.
#[utoipa::path(
    post, path = "/api/conversations/{id}/handoff", tag = "conversations",
    security(("bearer" = ["chat:write"])),
    params(("id" = ConversationId, Path, description = "The conversation")),
    request_body = CreateHandoff,
    responses(
        (status = 201, description = "It was handed over", body = Handoff),
        (status = 200, description = "It was handed over before", body = Handoff),
        (status = 404, description = "Not there, or somebody else's", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        (status = 409, description = "`crm_refused`: the CRM did not accept the to-do", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_handoff(
    State(app): State<AppState>,
    caller: Can<ChatWrite>,
    Path(id): Path<ConversationId>,
    Json(request): Json<CreateHandoff>,
) -> Result<Response, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let found = conversations::store::find(&mut tx, id, caller.user).await?;
    let conversation = found.ok_or_else(Problem::not_found)?;
    let title = title(&conversation);
    let before = store::find(&mut tx, id, &title).await?;
    drop(tx);
    if let Some(handoff) = before {
        return Ok(Json(handoff).into_response());
    }
    let reason = request.reason.map(|reason| reason.trim().to_owned());
    let todo = tell_crm(&app, &caller, &conversation, (&title, reason.as_deref())).await?;
    let handoff = Handoff {
        id: app.core.sources.id(),
        conversation_id: id,
        reason,
        todo: Handoff::todo(todo.id, &title),
        created_at: app.core.sources.now(),
    };
    keep(&app, &caller, handoff).await
}

fn title(conversation: &Conversation) -> String {
    format!("Take over the conversation \"{}\"", conversation.title)
}

/// The to-do; the same conversation makes it once.
async fn tell_crm(
    app: &AppState,
    caller: &Caller,
    conversation: &Conversation,
    (title, reason): (&str, Option<&str>),
) -> Result<Target, Problem> {
    let id = conversation.id;
    let description = match reason {
        Some(reason) => format!("{reason}\n\n/api/conversations/{id}"),
        None => format!("/api/conversations/{id}"),
    };
    let fields =
        json!({ "title": title, "description": description, "priority": "high", "source": "chat" });
    let session = app.crm.session(caller.token(), format!("handoff-{id}"));
    session
        .create(Kind::Todo, title, &fields)
        .await
        .map_err(refused)
}

fn refused(error: CrmError) -> Problem {
    match error {
        CrmError::Forbidden => {
            let detail = "You may not create to-dos in the CRM, so nobody was told.";
            Problem::new(
                StatusCode::FORBIDDEN,
                "crm_forbidden",
                "Not allowed in the CRM",
            )
            .detail(detail)
        }
        error if error.is_outage() => Problem::unavailable(error),
        error => Problem::conflict("crm_refused", error.to_string()),
    }
}

async fn keep(app: &AppState, caller: &Caller, handoff: Handoff) -> Result<Response, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    if !store::insert(&mut tx, &handoff, caller.user).await? {
        let found = store::find(&mut tx, handoff.conversation_id, &handoff.todo.title).await?;
        return Ok(Json(found.ok_or_else(Problem::not_found)?).into_response());
    }
    let event = NewEvent {
        kind: "chat.handed_off",
        actor: Some(caller.user),
        data: json!({ "handoff_id": handoff.id, "conversation_id": handoff.conversation_id, "todo_id": handoff.todo.id }),
    };
    bz_events::append(&mut tx, &app.core.sources, event).await?;
    tx.commit().await?;
    bz_events::wake(&app.core.redis, platform::CHATBOT.schema);
    Ok((StatusCode::CREATED, Json(handoff)).into_response())
}
