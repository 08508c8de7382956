use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};
use bz_tenant::OnConstraint;

use super::{CreateMcpServer, McpServer, store};
use crate::{
    app::AppState,
    mcp::McpServerId,
    tools::{ToolsManage, sealed},
};

/// The most servers of a tenant.
const MOST: i64 = 50;

/// Name a server of the Model Context Protocol. Nothing is asked of it before `refresh`.
///
/// With an `Idempotency-Key` the same request may be sent again: it makes no second server.
#[utoipa::path(
    post, path = "/api/mcp-servers", tag = "mcp-servers",
    security(("bearer" = ["tools:manage"])),
    params(IdempotencyKey),
    request_body = CreateMcpServer,
    responses(
        (status = 201, description = "The server", body = McpServer, headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "The name is taken, or there are 50 already", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_mcp_server(
    State(app): State<AppState>,
    caller: Can<ToolsManage>,
    key: IdempotencyKey,
    Json(wanted): Json<CreateMcpServer>,
) -> Result<Response, Problem> {
    let (core, sources) = (&app.core, &app.core.sources);
    wanted.settings.allowed(app.toolbox.policy())?;
    let made = bz_http::idempotent(
        (&core.db, &sources.clock),
        &caller.scope,
        &key,
        "mcp_servers.create",
        &wanted,
        async |tx| {
            if store::count(tx).await? >= MOST {
                let detail = "A tenant may have 50 MCP servers. Delete one first.";
                return Err(Problem::conflict("too_many_mcp_servers", detail));
            }
            let (id, by) = (sources.id::<McpServerId>(), (caller.user, sources.now()));
            let headers = sealed(&app, id.as_uuid(), &wanted.headers);
            let row = store::insert(tx, id, by, (&wanted.name, &wanted.settings), &headers).await;
            let taken = || {
                let detail = format!("There is an MCP server {} already.", wanted.name);
                Problem::conflict("name_taken", detail)
            };
            Ok(McpServer::from(
                row.on_constraint("mcp_servers_name_key", taken)?,
            ))
        },
    )
    .await?;
    Ok(made.into_response_with(|server: &McpServer| server.version))
}
