use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{Path, Problem};
use bz_kernel::ConversationId;

use super::store;
use crate::app::{AppState, ChatWrite};

/// Delete a conversation and everything said in it.
#[utoipa::path(
    delete, path = "/api/conversations/{id}", tag = "conversations",
    security(("bearer" = ["chat:write"])),
    params(("id" = ConversationId, Path, description = "The conversation")),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ReadProblems),
)]
pub(super) async fn delete_conversation(
    State(app): State<AppState>,
    caller: Can<ChatWrite>,
    Path(id): Path<ConversationId>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    if !store::delete(&mut tx, id, caller.user).await? {
        return Err(Problem::not_found());
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
