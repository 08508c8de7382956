use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};

use super::{Agent, AgentDefinition, AgentStatus, AgentsRead, llm_status, status};
use crate::{app::AppState, definitions};

/// One agent.
#[utoipa::path(
    get, path = "/api/agents/{id}", tag = "agents",
    security(("bearer" = ["agents:read"])),
    params(("id" = String, Path, description = "The agent's id or name")),
    responses(
        (status = 200, description = "The agent", body = Agent, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_agent(
    State(app): State<AppState>,
    caller: Can<AgentsRead>,
    Path(id): Path<String>,
) -> Result<Versioned<Agent>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let ready = app.ready_agent(&id);
    let mut agent = match ready {
        Some(ready) => Agent::ready(ready, llm_status(&app)),
        None => definitions::find::<AgentDefinition>(&mut tx, &id)
            .await?
            .ok_or_else(Problem::not_found)?
            .with(llm_status(&app)),
    };
    if agent.status == AgentStatus::Idle
        && let Some(busy) = status::at_work(&mut tx).await?.get(&agent.name)
    {
        agent.status = *busy;
    }
    Ok(Versioned(agent.version, agent))
}
