use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Problem};
use bz_kernel::Page;

use super::{Agent, AgentsRead, status};
use crate::app::AppState;

/// The agents and whether they can work now.
#[utoipa::path(
    get, path = "/api/agents", tag = "agents",
    security(("bearer" = ["agents:read"])),
    responses((status = 200, description = "All agents, on one page", body = Page<Agent>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_agents(
    State(app): State<AppState>,
    _caller: Can<AgentsRead>,
) -> Result<Json<Page<Agent>>, Problem> {
    let status = status(&app);
    let items = app
        .agents
        .iter()
        .map(|card| Agent {
            card: card.clone(),
            status,
        })
        .collect();
    Ok(Json(Page {
        items,
        next_cursor: None,
    }))
}
