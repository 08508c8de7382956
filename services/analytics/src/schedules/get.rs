use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use uuid::Uuid;

use super::{ReportSchedule, store};
use crate::{app::AppState, reports::ReportsRead};

/// One schedule, with its next three times.
#[utoipa::path(
    get, path = "/api/report-schedules/{id}", tag = "report-schedules",
    security(("bearer" = ["reports:read"])),
    params(("id" = Uuid, Path, description = "The schedule")),
    responses(
        (status = 200, description = "The schedule", body = ReportSchedule,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_report_schedule(
    State(app): State<AppState>,
    caller: Can<ReportsRead>,
    Path(id): Path<Uuid>,
) -> Result<Versioned<ReportSchedule>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let schedule = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(schedule.version, schedule))
}
