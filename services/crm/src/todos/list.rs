use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::{Page, TodoId};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Todo, TodoStatus, TodosRead, store};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListTodos {
    /// Only to-dos in this status.
    status: Option<TodoStatus>,
    /// Only to-dos that are done (true) or not (false).
    completed: Option<bool>,
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Which to-dos are wanted.
pub(super) struct TodoFilter {
    pub(super) status: Option<TodoStatus>,
    pub(super) completed: Option<bool>,
}

/// The tenant's to-dos, newest first.
#[utoipa::path(
    get, path = "/api/todos", tag = "todos",
    security(("bearer" = ["todos:read"])),
    params(ListTodos),
    responses((status = 200, description = "One page", body = Page<Todo>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_todos(
    State(app): State<AppState>,
    caller: Can<TodosRead>,
    Query(query): Query<ListTodos>,
) -> Result<Json<Page<Todo>>, Problem> {
    let tenant = caller.scope.tenant();
    let cursors = &app.core.cursors;
    let filter = TodoFilter {
        status: query.status,
        completed: query.completed,
    };
    let list = format!(
        "todos?status={}&completed={:?}",
        filter.status.map_or("", TodoStatus::as_str),
        filter.completed
    );
    let page = PageQuery::new(query.limit, query.cursor).open::<TodoId>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let todos = store::list(&mut tx, &filter, page.after, page.limit).await?;
    Ok(Json(Page::cut(todos, page.limit, |last: &Todo| {
        cursors.seal(tenant, &list, &last.id)
    })))
}
