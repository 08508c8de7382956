use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, Json, Path, Problem, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{McpTool, store};
use crate::{
    app::AppState,
    mcp_servers::store::find,
    tools::{Effect, ToolsManage},
};

/// What is approved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApproveMcpTool {
    /// The fingerprint of what was read.
    fingerprint: String,
    /// What a call does to the world; what the server hints at when not given: `read` with `readOnlyHint`, `write` with
    /// `destructiveHint` false, otherwise `destructive`, which is asked for each time.
    effect: Option<Effect>,
}

impl Validate for ApproveMcpTool {
    fn validate(&self, _: &mut Errors) {}
}

/// Let agents use a tool of an MCP server as it is now.
///
/// The approval is of one fingerprint: when the server changes the tool's description, schema or hints, agents cannot use it
/// before somebody has read and approved it again.
#[utoipa::path(
    post, path = "/api/mcp-servers/{id}/tools/{tool}/approve", tag = "mcp-servers",
    security(("bearer" = ["tools:manage"])),
    params(
        ("id" = String, Path, description = "The server's id or name"),
        ("tool" = String, Path, description = "The tool's name at the server"),
    ),
    request_body = ApproveMcpTool,
    responses(
        (status = 200, description = "The tool", body = McpTool),
        (status = 409, description = "It is not what was read any more, or cannot be approved", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn approve_mcp_server_tool(
    State(app): State<AppState>,
    caller: Can<ToolsManage>,
    Path((id, tool)): Path<(String, String)>,
    Json(wanted): Json<ApproveMcpTool>,
) -> Result<Json<McpTool>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let server = find(&mut tx, &id).await?.ok_or_else(Problem::not_found)?.id;
    let row = store::find_for_update(&mut tx, server, &tool).await?;
    let row = row.ok_or_else(Problem::not_found)?;
    if row.fingerprint != wanted.fingerprint {
        let detail = "The tool is not what was read. Read it again and approve its fingerprint.";
        return Err(Problem::conflict("tool_changed", detail));
    }
    if let Some(fault) = row.fault {
        let detail = format!("It can be approved once its server mends it: {fault}.");
        return Err(Problem::conflict("tool_unusable", detail));
    }
    let hinted = row.definition.effect();
    let effect = wanted.effect.unwrap_or(hinted);
    let by = (caller.user, app.core.sources.now());
    let row = store::approve(&mut tx, (server, &tool), by, effect).await?;
    tx.commit().await?;
    Ok(Json(row.into()))
}
