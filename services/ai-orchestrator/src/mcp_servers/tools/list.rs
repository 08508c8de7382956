use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Path, Problem, Query};
use bz_kernel::Page;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use uuid::Uuid;

use super::{
    McpTool,
    store::{self, McpToolRow},
};
use crate::{app::AppState, mcp_servers::store::find, tools::ToolsRead};

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListMcpServerTools {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Behind which tool a page begins.
#[derive(Debug, Serialize, Deserialize)]
struct Position {
    server: Uuid,
    name: String,
}

/// The tools that an MCP server had at the last refresh, by name, approved or not.
#[utoipa::path(
    get, path = "/api/mcp-servers/{id}/tools", tag = "mcp-servers",
    security(("bearer" = ["tools:read"])),
    params(("id" = String, Path, description = "The server's id or name"), ListMcpServerTools),
    responses(
        (status = 200, description = "One page", body = Page<McpTool>),
        bz_http::openapi::ListProblems,
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn list_mcp_server_tools(
    State(app): State<AppState>,
    caller: Can<ToolsRead>,
    Path(id): Path<String>,
    Query(query): Query<ListMcpServerTools>,
) -> Result<Json<Page<McpTool>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let page = PageQuery::new(query.limit, query.cursor);
    let page = page.open::<Position>(cursors, tenant, "mcp-server-tools")?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let row = find(&mut tx, &id).await?.ok_or_else(Problem::not_found)?;
    let after = page.after.filter(|after| after.server == row.id);
    let after = after.map(|after| after.name).unwrap_or_default();
    let limit = i64::from(page.limit) + 1;
    let rows = store::list(&mut tx, row.id, &after, limit).await?;
    Ok(Json(Page::cut(rows, page.limit, |last: &McpToolRow| {
        let position = Position {
            server: row.id,
            name: last.name.clone(),
        };
        cursors.seal(tenant, "mcp-server-tools", &position)
    })))
}
