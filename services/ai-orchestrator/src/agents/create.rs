use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};
use bz_tenant::OnConstraint;

use super::{Agent, AgentDefinition, AgentsWrite, CreateAgent, llm_status};
use crate::{app::AppState, definitions, tools};

/// The most agents of a tenant.
const MOST: i64 = 500;

/// Make an agent.
///
/// With an `Idempotency-Key` the same request may be sent again: it makes no second agent.
#[utoipa::path(
    post, path = "/api/agents", tag = "agents",
    security(("bearer" = ["agents:write"])),
    params(IdempotencyKey),
    request_body = CreateAgent,
    responses(
        (status = 201, description = "The agent", body = Agent, headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "The name is taken, or there are 500 already", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_agent(
    State(app): State<AppState>,
    caller: Can<AgentsWrite>,
    key: IdempotencyKey,
    Json(wanted): Json<CreateAgent>,
) -> Result<Response, Problem> {
    let (core, sources) = (&app.core, &app.core.sources);
    let made = bz_http::idempotent(
        (&core.db, &sources.clock),
        &caller.scope,
        &key,
        "agents.create",
        &wanted,
        async |tx| {
            if app.ready_agent(&wanted.name).is_some() {
                return Err(taken(&wanted.name));
            }
            if definitions::count::<AgentDefinition>(tx).await? >= MOST {
                let detail = "A tenant may have 500 agents. Delete one first.";
                return Err(Problem::conflict("too_many_agents", detail));
            }
            tools::must_exist(tx, &wanted.definition.tools, "/tools").await?;
            let by = (caller.user, sources.now());
            let row =
                definitions::insert(tx, sources.id(), by, &wanted.name, &wanted.definition).await;
            let row = row.on_constraint("agents_name_key", || taken(&wanted.name))?;
            Ok(row.with(llm_status(&app)))
        },
    )
    .await?;
    Ok(made.into_response_with(|agent: &Agent| agent.version))
}

fn taken(name: &str) -> Problem {
    Problem::conflict("name_taken", format!("There is an agent {name} already."))
}
