use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use bz_kernel::TodoId;

use super::{TodosWrite, store};
use crate::{app::AppState, outbox};

/// Delete a to-do.
#[utoipa::path(
    delete, path = "/api/todos/{id}", tag = "todos",
    security(("bearer" = ["todos:write"])),
    params(("id" = TodoId, Path, description = "The to-do"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_todo(
    State(app): State<AppState>,
    caller: Can<TodosWrite>,
    Path(id): Path<TodoId>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let todo = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(todo.version)?;
    store::delete(&mut tx, id).await?;
    outbox::todo(&mut tx, &app.core, &caller, "todo.deleted", &todo).await?;
    tx.commit().await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
