use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};

use super::ActionId;
use crate::app::{AppState, ChatWrite};
use crate::chat::{ChatReply, by_id};

/// Say yes to what waits: it is done now.
///
/// A yes counts once, for ten minutes, for the user who was asked, and for the exact records that were shown. When one of them
/// was changed since, nothing is done to it: 409 `target_changed`, with the new question in `confirmation`. 503
/// `crm_unavailable` says in `changed` whether `nothing` was changed or whether that is `unknown`; the question waits on.
#[utoipa::path(
    post, path = "/api/chat/actions/{id}/confirm", tag = "actions",
    security(("bearer" = ["chat:write"])),
    params(("id" = ActionId, Path, description = "The `action_id` of the question")),
    responses(
        (status = 200, description = "The answer", body = ChatReply),
        (status = 409, description = "`action_expired`, `action_already_used`, `target_changed` or `crm_refused`",
         body = bz_http::ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "Too many messages of the user or the tenant", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn confirm_action(
    State(app): State<AppState>,
    caller: Can<ChatWrite>,
    Path(id): Path<ActionId>,
) -> Result<Json<ChatReply>, Problem> {
    let answer = by_id::decide(app, caller.into_caller(), id, true).await?;
    Ok(Json(answer))
}
