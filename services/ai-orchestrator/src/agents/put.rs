use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Versioned};

use super::{Agent, AgentDefinition, AgentsWrite, PutAgent, llm_status};
use crate::{app::AppState, definitions, tools};

/// Change an agent: its next version. Runs that were made before go on with the version that they were made with.
#[utoipa::path(
    put, path = "/api/agents/{id}", tag = "agents",
    security(("bearer" = ["agents:write"])),
    params(("id" = String, Path, description = "The agent's id or name"), IfMatch),
    request_body = PutAgent,
    responses(
        (status = 200, description = "The agent", body = Agent, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn put_agent(
    State(app): State<AppState>,
    caller: Can<AgentsWrite>,
    Path(id): Path<String>,
    if_match: IfMatch,
    Json(wanted): Json<PutAgent>,
) -> Result<Versioned<Agent>, Problem> {
    refuse_ready(&app, &id)?;
    let wanted = wanted.definition;
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let row = definitions::find_for_update::<AgentDefinition>(&mut tx, &id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(row.version)?;
    tools::must_exist(&mut tx, &wanted.tools, "/tools").await?;
    let by = (caller.user, app.core.sources.now());
    let row = definitions::update(&mut tx, row.id, by, &wanted).await?;
    tx.commit().await?;
    Ok(Versioned(row.version, row.with(llm_status(&app))))
}

/// The ready agents are everybody's.
pub(super) fn refuse_ready(app: &AppState, id: &str) -> Result<(), Problem> {
    if app.ready_agent(id).is_some() {
        let detail = "The ready agents are the same for everybody. Make an agent of your own with this definition.";
        return Err(Problem::conflict("agent_is_ready_made", detail));
    }
    Ok(())
}
