use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};

use super::ActionId;
use crate::app::{AppState, ChatWrite};
use crate::chat::{ChatReply, by_id};

/// Take back what was done, once.
///
/// What was made goes into the CRM's trash, what was deleted comes back out of it, and what was changed gets its old values,
/// unless somebody changed it since: 409 `target_changed`. A to-do that came again when it was completed stays.
#[utoipa::path(
    post, path = "/api/chat/actions/{id}/undo", tag = "actions",
    security(("bearer" = ["chat:write"])),
    params(("id" = ActionId, Path, description = "The id of one of the answer's `actions`")),
    responses(
        (status = 200, description = "The answer", body = ChatReply),
        (status = 409, description = "`action_already_used`, `action_not_undoable`, `target_changed` or `crm_refused`",
         body = bz_http::ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "Too many messages of the user or the tenant", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn undo_action(
    State(app): State<AppState>,
    caller: Can<ChatWrite>,
    Path(id): Path<ActionId>,
) -> Result<Json<ChatReply>, Problem> {
    let answer = by_id::undo(app, caller.into_caller(), id).await?;
    Ok(Json(answer))
}
