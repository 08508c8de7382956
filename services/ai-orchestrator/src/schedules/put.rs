use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Versioned};

use super::{
    Schedule, ScheduleId, SchedulesWrite, WantedSchedule, create::next, credential, store,
};
use crate::app::AppState;

/// Change a schedule of one's own: it works with its user's API key, so that nobody else says what it does.
#[utoipa::path(
    put, path = "/api/schedules/{id}", tag = "schedules",
    security(("bearer" = ["schedules:write"])),
    params(("id" = ScheduleId, Path, description = "The schedule"), IfMatch),
    request_body = WantedSchedule,
    responses(
        (status = 200, description = "The schedule", body = Schedule, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn put_schedule(
    State(app): State<AppState>,
    caller: Can<SchedulesWrite>,
    Path(id): Path<ScheduleId>,
    if_match: IfMatch,
    Json(wanted): Json<WantedSchedule>,
) -> Result<Versioned<Schedule>, Problem> {
    let api_key = credential::sent(&app, &caller, &wanted).await?;
    let now = app.core.sources.now();
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let schedule = store::find(&mut tx, id, true).await?;
    let schedule = schedule.ok_or_else(Problem::not_found)?;
    if schedule.created_by != caller.user {
        return Err(Problem::forbidden().detail("Only its own user changes what a schedule does."));
    }
    if_match.check(schedule.version)?;
    let sealed = api_key.map(|key| credential::sealed(&app, id, &key));
    let changed = (next(&wanted, now)?, sealed);
    let schedule = store::update(&mut tx, id, now, &wanted, changed).await?;
    tx.commit().await?;
    Ok(Versioned(schedule.version, schedule))
}
