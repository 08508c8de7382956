use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Versioned};
use bz_kernel::TodoId;

use super::{PatchTodo, Todo, TodosWrite, put::change};
use crate::app::AppState;

/// Change a to-do.
///
/// JSON merge patch: a missing field stays, `null` clears it. With `If-Match` the change is made only on that version.
#[utoipa::path(
    patch, path = "/api/todos/{id}", tag = "todos",
    security(("bearer" = ["todos:write"])),
    params(("id" = TodoId, Path, description = "The to-do"), IfMatch),
    request_body = PatchTodo,
    responses(
        (status = 200, description = "The to-do as it is now", body = Todo,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn patch_todo(
    State(app): State<AppState>,
    caller: Can<TodosWrite>,
    Path(id): Path<TodoId>,
    if_match: IfMatch,
    Json(patch): Json<PatchTodo>,
) -> Result<Versioned<Todo>, Problem> {
    change(&app, &caller, id, &if_match, |todo| patch.onto(todo)).await
}
