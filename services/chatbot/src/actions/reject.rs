use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};

use super::ActionId;
use crate::app::{AppState, ChatWrite};
use crate::chat::{ChatReply, by_id};

/// Say no to what waits: nothing is changed, and the question is over.
#[utoipa::path(
    post, path = "/api/chat/actions/{id}/reject", tag = "actions",
    security(("bearer" = ["chat:write"])),
    params(("id" = ActionId, Path, description = "The `action_id` of the question")),
    responses(
        (status = 200, description = "The answer", body = ChatReply),
        (status = 409, description = "`action_expired` or `action_already_used`", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        (status = 429, description = "Too many messages of the user or the tenant", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn reject_action(
    State(app): State<AppState>,
    caller: Can<ChatWrite>,
    Path(id): Path<ActionId>,
) -> Result<Json<ChatReply>, Problem> {
    let answer = by_id::decide(app, caller.into_caller(), id, false).await?;
    Ok(Json(answer))
}
