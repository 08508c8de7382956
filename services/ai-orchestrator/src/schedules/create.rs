use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};

use super::{Schedule, SchedulesWrite, WantedSchedule, credential, store, times};
use crate::app::AppState;

/// The most schedules of a tenant.
const MOST: i64 = 200;

/// Set up runs that are made again and again.
///
/// With an `Idempotency-Key` the same request may be sent again: it makes no second schedule.
#[utoipa::path(
    post, path = "/api/schedules", tag = "schedules",
    security(("bearer" = ["schedules:write"])),
    params(IdempotencyKey),
    request_body = WantedSchedule,
    responses(
        (status = 201, description = "The schedule", body = Schedule, headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "There are 200 already", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_schedule(
    State(app): State<AppState>,
    caller: Can<SchedulesWrite>,
    key: IdempotencyKey,
    Json(wanted): Json<WantedSchedule>,
) -> Result<Response, Problem> {
    let (core, sources) = (&app.core, &app.core.sources);
    let needed = || {
        let message = "is needed: a token of this kind ends too soon for runs that come later";
        Problem::invalid("/api_key", "required", message)
    };
    let api_key = credential::sent(&app, &caller, &wanted).await?;
    let api_key = api_key.ok_or_else(needed)?;
    let made = bz_http::idempotent(
        (&core.db, &sources.clock),
        &caller.scope,
        &key,
        "schedules.create",
        &wanted,
        async |tx| {
            let next = next(&wanted, sources.now())?;
            if store::count(tx).await? >= MOST {
                let detail = "A tenant may have 200 schedules. Delete one first.";
                return Err(Problem::conflict("too_many_schedules", detail));
            }
            let (id, by) = (sources.id(), (caller.user, sources.now()));
            let sealed = credential::sealed(&app, id, &api_key);
            Ok(store::insert(tx, id, by, &wanted, (next, sealed)).await?)
        },
    )
    .await?;
    Ok(made.into_response_with(|schedule: &Schedule| schedule.version))
}

/// When a schedule runs first.
///
/// # Errors
/// 422 when it never does.
pub(super) fn next(
    wanted: &WantedSchedule,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<chrono::DateTime<chrono::Utc>, Problem> {
    let next = times::next(&wanted.cron, &wanted.timezone, now);
    next.ok_or_else(|| Problem::invalid("/cron", "never", "must be a time that comes"))
}
