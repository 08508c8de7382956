use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use http::StatusCode;

use super::{ScheduleId, SchedulesManage, SchedulesWrite, store};
use crate::app::AppState;

/// Delete a schedule: one's own, or with `schedules:manage` anybody's. The runs that it made stay.
#[utoipa::path(
    delete, path = "/api/schedules/{id}", tag = "schedules",
    security(("bearer" = ["schedules:write"])),
    params(("id" = ScheduleId, Path, description = "The schedule"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_schedule(
    State(app): State<AppState>,
    caller: Can<SchedulesWrite>,
    Path(id): Path<ScheduleId>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let schedule = store::find(&mut tx, id, true).await?;
    let schedule = schedule.ok_or_else(Problem::not_found)?;
    if schedule.created_by != caller.user {
        caller.require::<SchedulesManage>()?;
    }
    if_match.check(schedule.version)?;
    store::delete(&mut tx, id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
