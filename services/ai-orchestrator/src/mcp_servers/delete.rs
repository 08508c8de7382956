use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use http::StatusCode;

use super::store;
use crate::{app::AppState, mcp::McpServerId, tools::ToolsManage};

/// Delete an MCP server, with its tools and their approvals. An agent that names them does without.
#[utoipa::path(
    delete, path = "/api/mcp-servers/{id}", tag = "mcp-servers",
    security(("bearer" = ["tools:manage"])),
    params(("id" = String, Path, description = "The server's id or name"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_mcp_server(
    State(app): State<AppState>,
    caller: Can<ToolsManage>,
    Path(id): Path<String>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let row = store::find_for_update(&mut tx, &id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(row.version)?;
    store::delete(&mut tx, row.id).await?;
    tx.commit().await?;
    app.toolbox.mcp().forget(McpServerId::from_uuid(row.id));
    Ok(StatusCode::NO_CONTENT)
}
