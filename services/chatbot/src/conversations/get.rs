use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use bz_kernel::ConversationId;

use super::{Conversation, store};
use crate::app::{AppState, ChatRead};

/// One conversation of the caller.
#[utoipa::path(
    get, path = "/api/conversations/{id}", tag = "conversations",
    security(("bearer" = ["chat:read"])),
    params(("id" = ConversationId, Path, description = "The conversation")),
    responses(
        (status = 200, description = "The conversation", body = Conversation,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_conversation(
    State(app): State<AppState>,
    caller: Can<ChatRead>,
    Path(id): Path<ConversationId>,
) -> Result<Versioned<Conversation>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let found = store::find(&mut tx, id, caller.user).await?;
    let conversation = found.ok_or_else(Problem::not_found)?;
    Ok(Versioned(conversation.version, conversation))
}
