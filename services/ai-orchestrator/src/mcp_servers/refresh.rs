use std::time::Duration;

use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::{McpPeer, McpServer, store, tools};
use crate::{
    app::AppState,
    mcp::client::{Met, Peer},
    tools::{ToolError, ToolsManage},
};

/// What a request has left, once the server's time is over, to say so.
const ANSWER_MARGIN: Duration = Duration::from_secs(1);

/// What a refresh found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RefreshedMcpServer {
    /// The server.
    server: McpServer,
    /// Tools that were not there before.
    added: Vec<String>,
    /// Tools that are not what they were: they need a new approval.
    changed: Vec<String>,
    /// Tools that are gone, with their approvals.
    removed: Vec<String>,
    /// How many tools cannot be read and are left out.
    unreadable: usize,
}

/// Read an MCP server's tools anew.
///
/// New tools and tools whose description, schema or hints changed need an approval before agents can use them. A server that
/// cannot be reached or understood is told with 502, and everything stays as it was.
#[utoipa::path(
    post, path = "/api/mcp-servers/{id}/refresh", tag = "mcp-servers",
    security(("bearer" = ["tools:manage"])),
    params(("id" = String, Path, description = "The server's id or name")),
    responses(
        (status = 200, description = "What was found", body = RefreshedMcpServer),
        (status = 502, description = "The server failed", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn refresh_mcp_server(
    State(app): State<AppState>,
    caller: Can<ToolsManage>,
    Path(id): Path<String>,
) -> Result<Json<RefreshedMcpServer>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let row = store::find(&mut tx, &id).await?;
    let row = row.ok_or_else(Problem::not_found)?;
    drop(tx);
    let met = meet(&app, &row).await.map_err(|error| failed(&error))?;
    let offered = tools::offered(&row.url, &met);
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let still = store::find_for_update(&mut tx, &id).await?;
    let still = still.filter(|still| still.id == row.id && still.url == row.url);
    still.ok_or_else(|| {
        let detail = "The server was changed while it was asked. Refresh it again.";
        Problem::conflict("conflict", detail)
    })?;
    let now = app.core.sources.now();
    let (added, changed, removed) = tools::store::take(&mut tx, row.id, now, &offered).await?;
    let row = store::refreshed(&mut tx, row.id, now, &peer(&met)).await?;
    tx.commit().await?;
    Ok(Json(RefreshedMcpServer {
        server: McpServer::from(row),
        added,
        changed,
        removed,
        unreadable: met.unreadable
            + (met.tools.len() - offered.iter().filter(|one| !one.ours).count()),
    }))
}

async fn meet(app: &AppState, row: &store::McpServerRow) -> Result<Met, ToolError> {
    let limit = Duration::from_secs(u64::from(row.timeout_seconds.unsigned_abs()));
    bz_http::context::extend_deadline(limit + ANSWER_MARGIN);
    let headers = row.headers(&app.tool_secrets);
    let peer = Peer {
        id: row.server_id(),
        url: &row.url,
        headers: &headers,
    };
    let met = tokio::time::timeout(limit, app.toolbox.mcp().meet(&peer)).await;
    met.unwrap_or_else(|_| {
        Err(ToolError::Unavailable {
            sent: true,
            message: "there was no answer in time".to_owned(),
        })
    })
}

fn failed(error: &ToolError) -> Problem {
    Problem::new(
        StatusCode::BAD_GATEWAY,
        "mcp_server_failed",
        "The MCP server did not answer as it should",
    )
    .detail(error.to_string())
}

fn peer(met: &Met) -> McpPeer {
    let of = &met.hello.server_info;
    McpPeer {
        name: tools::shown(&of.name),
        title: of.title.as_deref().map(tools::shown),
        version: tools::shown(&of.version),
        protocol_version: met.hello.protocol_version.to_string(),
    }
}
