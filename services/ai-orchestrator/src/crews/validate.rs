use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::{CrewDefinition, CrewsRead};
use crate::{
    app::AppState,
    definitions,
    runs::{RunLimits, plan},
};

/// Whether a crew can run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Validation {
    /// Whether it can.
    valid: bool,
    /// What is in the way.
    problems: Vec<plan::Fault>,
    /// What a run is likely to use, if every agent uses each of its tools once.
    estimate: plan::Estimate,
    /// What a run is held to.
    limits: RunLimits,
}

/// Say whether a crew can run: tasks that wait for each other, agents and tools that are not there, and what it may use.
#[utoipa::path(
    post, path = "/api/crews/{id}/validate", tag = "crews",
    security(("bearer" = ["crews:read"])),
    params(("id" = String, Path, description = "The crew's id or name")),
    responses((status = 200, description = "What was found", body = Validation), bz_http::openapi::ReadProblems),
)]
pub(super) async fn validate_crew(
    State(app): State<AppState>,
    caller: Can<CrewsRead>,
    Path(id): Path<String>,
) -> Result<Json<Validation>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let crew = definitions::find::<CrewDefinition>(&mut tx, &id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let planned = plan::of_crew(&app, &mut tx, &crew.definition.0).await?;
    let estimate = planned.plan.estimate();
    Ok(Json(Validation {
        valid: planned.faults.is_empty(),
        problems: planned.faults,
        limits: planned.plan.limits,
        estimate,
    }))
}
