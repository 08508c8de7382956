use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use http::StatusCode;
use uuid::Uuid;

use super::{ReportSchedulesWrite, store};
use crate::app::AppState;

/// Delete a schedule. The reports that it ordered stay.
#[utoipa::path(
    delete, path = "/api/report-schedules/{id}", tag = "report-schedules",
    security(("bearer" = ["report_schedules:write"])),
    params(("id" = Uuid, Path, description = "The schedule"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_report_schedule(
    State(app): State<AppState>,
    caller: Can<ReportSchedulesWrite>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let schedule = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(schedule.version)?;
    store::delete(&mut tx, id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
