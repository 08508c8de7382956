use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use bz_kernel::TodoId;

use super::{Todo, TodosRead, store};
use crate::app::AppState;

/// One to-do.
#[utoipa::path(
    get, path = "/api/todos/{id}", tag = "todos",
    security(("bearer" = ["todos:read"])),
    params(("id" = TodoId, Path, description = "The to-do")),
    responses(
        (status = 200, description = "The to-do", body = Todo, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_todo(
    State(app): State<AppState>,
    caller: Can<TodosRead>,
    Path(id): Path<TodoId>,
) -> Result<Versioned<Todo>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let todo = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(todo.version, todo))
}
