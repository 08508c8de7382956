use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Versioned};

use super::{McpServer, PutMcpServer, store};
use crate::{
    app::AppState,
    tools::{Headers, ToolsManage, sealed},
};

/// Change an MCP server. With another address it is another server: its tools and their approvals go, and so do its headers, unless
/// new ones are given.
#[utoipa::path(
    put, path = "/api/mcp-servers/{id}", tag = "mcp-servers",
    security(("bearer" = ["tools:manage"])),
    params(("id" = String, Path, description = "The server's id or name"), IfMatch),
    request_body = PutMcpServer,
    responses(
        (status = 200, description = "The server", body = McpServer, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn put_mcp_server(
    State(app): State<AppState>,
    caller: Can<ToolsManage>,
    Path(id): Path<String>,
    if_match: IfMatch,
    Json(wanted): Json<PutMcpServer>,
) -> Result<Versioned<McpServer>, Problem> {
    wanted.settings.allowed(app.toolbox.policy())?;
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let row = store::find_for_update(&mut tx, &id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(row.version)?;
    let moved = row.url != wanted.settings.url;
    // Secrets that were given for one address are not sent to another.
    let headers = wanted.headers.or_else(|| moved.then(Headers::new));
    let headers = headers.map(|headers| sealed(&app, row.id, &headers));
    if moved {
        store::forget_peer(&mut tx, row.id).await?;
    }
    let now = app.core.sources.now();
    let row = store::update(&mut tx, row.id, now, &wanted.settings, headers.as_ref()).await?;
    tx.commit().await?;
    let server = McpServer::from(row);
    app.toolbox.mcp().forget(server.id);
    Ok(Versioned(server.version, server))
}
