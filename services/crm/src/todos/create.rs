use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};

use super::{CreateTodo, Todo, TodosWrite, store};
use crate::{app::AppState, outbox};

/// Create a to-do.
///
/// With an `Idempotency-Key` the same request may be sent again: the first answer is given once more.
#[utoipa::path(
    post, path = "/api/todos", tag = "todos",
    security(("bearer" = ["todos:write"])),
    params(IdempotencyKey),
    request_body = CreateTodo,
    responses(
        (status = 201, description = "The to-do", body = Todo, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_todo(
    State(app): State<AppState>,
    caller: Can<TodosWrite>,
    key: IdempotencyKey,
    Json(todo): Json<CreateTodo>,
) -> Result<Response, Problem> {
    let core = &app.core;
    let created = bz_http::idempotent(
        (&core.db, &core.sources.clock),
        &caller.scope,
        &key,
        "todos.create",
        &todo,
        async |tx| {
            let created = store::insert(
                tx,
                core.sources.id(),
                caller.user,
                core.sources.now(),
                &todo,
            )
            .await?;
            outbox::todo(tx, core, &caller, "todo.created", &created).await?;
            Ok(created)
        },
    )
    .await?;
    app.wake();
    Ok(created.into_response_with(|todo| todo.version))
}
