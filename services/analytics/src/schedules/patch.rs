use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Versioned};
use uuid::Uuid;

use super::{PatchReportSchedule, ReportSchedule, ReportSchedulesWrite, store, times};
use crate::app::AppState;

/// Change a schedule.
///
/// A missing field stays. With `If-Match` the change is made only on that version. The next time is reckoned anew.
#[utoipa::path(
    patch, path = "/api/report-schedules/{id}", tag = "report-schedules",
    security(("bearer" = ["report_schedules:write"])),
    params(("id" = Uuid, Path, description = "The schedule"), IfMatch),
    request_body = PatchReportSchedule,
    responses(
        (status = 200, description = "The schedule as it is now", body = ReportSchedule,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn patch_report_schedule(
    State(app): State<AppState>,
    caller: Can<ReportSchedulesWrite>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(patch): Json<PatchReportSchedule>,
) -> Result<Versioned<ReportSchedule>, Problem> {
    let now = app.core.sources.now();
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let before = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(before.version)?;
    let wanted = ReportSchedule {
        name: patch.name.unwrap_or(before.name),
        cron: patch.cron.unwrap_or(before.cron),
        timezone: patch.timezone.unwrap_or(before.timezone),
        report: patch.report.unwrap_or(before.report),
        enabled: patch.enabled.unwrap_or(before.enabled),
        ..before
    };
    let next = times::first(&wanted.cron, &wanted.timezone, now)?;
    let after = store::update(&mut tx, &wanted, next, now).await?;
    tx.commit().await?;
    Ok(Versioned(after.version, after))
}
