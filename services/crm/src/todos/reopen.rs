use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem, Versioned};
use bz_kernel::TodoId;

use super::{Todo, TodoStatus, TodosWrite, set_status};
use crate::app::AppState;

/// Open a to-do again that was done or cancelled.
///
/// One that is open or begun stays as it is. What followed it in its series stays too.
#[utoipa::path(
    post, path = "/api/todos/{id}/reopen", tag = "todos",
    security(("bearer" = ["todos:write"])),
    params(("id" = TodoId, Path, description = "The to-do"), IfMatch),
    responses(
        (status = 200, description = "The to-do as it is now", body = Todo,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn reopen_todo(
    State(app): State<AppState>,
    caller: Can<TodosWrite>,
    Path(id): Path<TodoId>,
    if_match: IfMatch,
) -> Result<Versioned<Todo>, Problem> {
    let reopened = |status| match status {
        TodoStatus::InProgress => TodoStatus::InProgress,
        _ => TodoStatus::Open,
    };
    set_status(&app, &caller, id, &if_match, reopened).await
}
