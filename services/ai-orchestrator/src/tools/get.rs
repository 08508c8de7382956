use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use bz_tenant::TenantScope;

use super::{Tool, ToolsRead, built_in, store};
use crate::{app::AppState, mcp_servers};

/// One tool.
#[utoipa::path(
    get, path = "/api/tools/{id}", tag = "tools",
    security(("bearer" = ["tools:read"])),
    params(("id" = String, Path, description = "The tool's id or name")),
    responses(
        (status = 200, description = "The tool", body = Tool, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_tool(
    State(app): State<AppState>,
    caller: Can<ToolsRead>,
    Path(id): Path<String>,
) -> Result<Versioned<Tool>, Problem> {
    let tool = found(&app, &caller.scope, &id).await?;
    Ok(Versioned(tool.version, tool))
}

/// The tool of an id or a name.
pub(super) async fn found(app: &AppState, scope: &TenantScope, id: &str) -> Result<Tool, Problem> {
    if let Some(spec) = built_in(id) {
        return Ok(Tool::built_in(spec));
    }
    let mut tx = app.core.db.read(scope).await?;
    if id.starts_with(mcp_servers::PREFIX) {
        let tool = mcp_servers::tool(&mut tx, id).await?;
        return tool.ok_or_else(Problem::not_found);
    }
    let row = store::find(&mut tx, id).await?;
    let row = row.ok_or_else(Problem::not_found)?;
    Ok(row.into_tool(&app.toolbox))
}
