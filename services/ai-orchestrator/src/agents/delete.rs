use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use http::StatusCode;

use super::{AgentDefinition, AgentsWrite, put::refuse_ready};
use crate::{app::AppState, definitions};

/// Delete an agent with its versions. Its runs stay, and those that are not over go on.
#[utoipa::path(
    delete, path = "/api/agents/{id}", tag = "agents",
    security(("bearer" = ["agents:write"])),
    params(("id" = String, Path, description = "The agent's id or name"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_agent(
    State(app): State<AppState>,
    caller: Can<AgentsWrite>,
    Path(id): Path<String>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    refuse_ready(&app, &id)?;
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let row = definitions::find_for_update::<AgentDefinition>(&mut tx, &id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(row.version)?;
    definitions::delete::<AgentDefinition>(&mut tx, row.id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
