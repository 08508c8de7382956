use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};

use super::{McpTool, store};
use crate::{app::AppState, mcp_servers::store::find, tools::ToolsManage};

/// Take the approval of a tool of an MCP server back. It may be repeated.
#[utoipa::path(
    post, path = "/api/mcp-servers/{id}/tools/{tool}/revoke", tag = "mcp-servers",
    security(("bearer" = ["tools:manage"])),
    params(
        ("id" = String, Path, description = "The server's id or name"),
        ("tool" = String, Path, description = "The tool's name at the server"),
    ),
    responses((status = 200, description = "The tool", body = McpTool), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn revoke_mcp_server_tool(
    State(app): State<AppState>,
    caller: Can<ToolsManage>,
    Path((id, tool)): Path<(String, String)>,
) -> Result<Json<McpTool>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let server = find(&mut tx, &id).await?.ok_or_else(Problem::not_found)?.id;
    let row = store::find_for_update(&mut tx, server, &tool).await?;
    row.ok_or_else(Problem::not_found)?;
    let row = store::revoke(&mut tx, (server, &tool)).await?;
    tx.commit().await?;
    Ok(Json(row.into()))
}
