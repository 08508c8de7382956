use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};

use super::{McpServer, store};
use crate::{app::AppState, tools::ToolsRead};

/// One MCP server.
#[utoipa::path(
    get, path = "/api/mcp-servers/{id}", tag = "mcp-servers",
    security(("bearer" = ["tools:read"])),
    params(("id" = String, Path, description = "The server's id or name")),
    responses(
        (status = 200, description = "The server", body = McpServer, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_mcp_server(
    State(app): State<AppState>,
    caller: Can<ToolsRead>,
    Path(id): Path<String>,
) -> Result<Versioned<McpServer>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let row = store::find(&mut tx, &id).await?;
    let server = McpServer::from(row.ok_or_else(Problem::not_found)?);
    Ok(Versioned(server.version, server))
}
