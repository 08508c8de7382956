use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Memory, MemoryId, MemoryRead, store};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListMemories {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only what this agent remembers, by its name.
    agent: Option<String>,
}

/// What agents remember of oneself, newest first. Nobody else sees it.
#[utoipa::path(
    get, path = "/api/memory", tag = "memory",
    security(("bearer" = ["memory:read"])),
    params(ListMemories),
    responses((status = 200, description = "One page", body = Page<Memory>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_memories(
    State(app): State<AppState>,
    caller: Can<MemoryRead>,
    Query(query): Query<ListMemories>,
) -> Result<Json<Page<Memory>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let page = PageQuery::new(query.limit, query.cursor);
    let page = page.open::<MemoryId>(cursors, tenant, "memory")?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let whose = (caller.user, query.agent.as_deref());
    let memories = store::list(&mut tx, whose, page.after, i64::from(page.limit) + 1).await?;
    Ok(Json(Page::cut(memories, page.limit, |last: &Memory| {
        cursors.seal(tenant, "memory", &last.id)
    })))
}
