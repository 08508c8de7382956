use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};

use super::{Agent, AgentsRead, status};
use crate::app::AppState;

/// One agent.
#[utoipa::path(
    get, path = "/api/agents/{name}", tag = "agents",
    security(("bearer" = ["agents:read"])),
    params(("name" = String, Path, description = "The agent's name")),
    responses((status = 200, description = "The agent", body = Agent), bz_http::openapi::ReadProblems),
)]
pub(super) async fn get_agent(
    State(app): State<AppState>,
    _caller: Can<AgentsRead>,
    Path(name): Path<String>,
) -> Result<Json<Agent>, Problem> {
    let card = app
        .agents
        .iter()
        .find(|card| card.name == name)
        .ok_or_else(Problem::not_found)?;
    Ok(Json(Agent {
        card: card.clone(),
        status: status(&app),
    }))
}
