use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem, Versioned};
use bz_kernel::TodoId;

use super::{Todo, TodoStatus, TodosWrite, set_status};
use crate::app::AppState;

/// Complete a to-do.
///
/// One that is done stays as it is. One that comes again is followed by the next, once.
#[utoipa::path(
    post, path = "/api/todos/{id}/complete", tag = "todos",
    security(("bearer" = ["todos:write"])),
    params(("id" = TodoId, Path, description = "The to-do"), IfMatch),
    responses(
        (status = 200, description = "The to-do as it is now", body = Todo,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn complete_todo(
    State(app): State<AppState>,
    caller: Can<TodosWrite>,
    Path(id): Path<TodoId>,
    if_match: IfMatch,
) -> Result<Versioned<Todo>, Problem> {
    set_status(&app, &caller, id, &if_match, |_| TodoStatus::Done).await
}
