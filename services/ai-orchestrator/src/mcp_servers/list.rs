use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{McpServer, store};
use crate::{app::AppState, tools::ToolsRead};

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListMcpServers {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tenant's MCP servers, newest first.
#[utoipa::path(
    get, path = "/api/mcp-servers", tag = "mcp-servers",
    security(("bearer" = ["tools:read"])),
    params(ListMcpServers),
    responses((status = 200, description = "One page", body = Page<McpServer>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_mcp_servers(
    State(app): State<AppState>,
    caller: Can<ToolsRead>,
    Query(query): Query<ListMcpServers>,
) -> Result<Json<Page<McpServer>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let page =
        PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, tenant, "mcp-servers")?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let rows = store::list(&mut tx, page.after, i64::from(page.limit) + 1).await?;
    Ok(Json(Page::cut(
        rows,
        page.limit,
        |last: &store::McpServerRow| cursors.seal(tenant, "mcp-servers", &last.id),
    )))
}
