use axum::extract::State;
use bz_auth::{Caller, Can};
use bz_http::{IfMatch, Json, Path, Problem, Versioned, validated};
use bz_kernel::TodoId;

use super::{CreateTodo, Todo, TodoStatus, TodosWrite, store};
use crate::{app::AppState, outbox};

/// Replace a to-do.
///
/// All writable fields become what the body says; a field that is not given is cleared or gets its default.
#[utoipa::path(
    put, path = "/api/todos/{id}", tag = "todos",
    security(("bearer" = ["todos:write"])),
    params(("id" = TodoId, Path, description = "The to-do"), IfMatch),
    request_body = CreateTodo,
    responses(
        (status = 200, description = "The to-do as it is now", body = Todo,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn put_todo(
    State(app): State<AppState>,
    caller: Can<TodosWrite>,
    Path(id): Path<TodoId>,
    if_match: IfMatch,
    Json(todo): Json<CreateTodo>,
) -> Result<Versioned<Todo>, Problem> {
    change(&app, &caller, id, &if_match, |_| todo).await
}

/// Changes a to-do to what `wanted` makes of it. One that becomes done is announced as completed.
pub(super) async fn change(
    app: &AppState,
    caller: &Caller,
    id: TodoId,
    if_match: &IfMatch,
    wanted: impl FnOnce(Todo) -> CreateTodo,
) -> Result<Versioned<Todo>, Problem> {
    let core = &app.core;
    let mut tx = core.db.tenant(&caller.scope).await?;
    let before = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(before.version)?;
    let was_done = before.completed;
    let wanted = validated(wanted(before))?;
    let todo = store::update(&mut tx, id, core.sources.now(), &wanted).await?;
    let becomes_done = !was_done && todo.status == TodoStatus::Done;
    let kind = if becomes_done {
        "todo.completed"
    } else {
        "todo.updated"
    };
    outbox::todo(&mut tx, core, caller, kind, &todo).await?;
    tx.commit().await?;
    app.wake();
    Ok(Versioned(todo.version, todo))
}
