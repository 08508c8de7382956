use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};

use super::{Schedule, ScheduleId, SchedulesRead, store};
use crate::app::AppState;

/// One schedule.
#[utoipa::path(
    get, path = "/api/schedules/{id}", tag = "schedules",
    security(("bearer" = ["schedules:read"])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "The schedule", body = Schedule, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_schedule(
    State(app): State<AppState>,
    caller: Can<SchedulesRead>,
    Path(id): Path<ScheduleId>,
) -> Result<Versioned<Schedule>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let schedule = store::find(&mut tx, id, false).await?;
    let schedule = schedule.ok_or_else(Problem::not_found)?;
    Ok(Versioned(schedule.version, schedule))
}
