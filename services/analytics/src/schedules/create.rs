use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};

use super::{CreateReportSchedule, ReportSchedule, ReportSchedulesWrite, store, times};
use crate::app::AppState;

/// The most schedules of a tenant.
const MOST: i64 = 200;

/// Set up a report that is made again and again.
///
/// With an `Idempotency-Key` the same request may be sent again: it makes no second schedule.
#[utoipa::path(
    post, path = "/api/report-schedules", tag = "report-schedules",
    security(("bearer" = ["report_schedules:write"])),
    params(IdempotencyKey),
    request_body = CreateReportSchedule,
    responses(
        (status = 201, description = "The schedule, with its next three times", body = ReportSchedule,
         headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "There are 200 already", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_report_schedule(
    State(app): State<AppState>,
    caller: Can<ReportSchedulesWrite>,
    key: IdempotencyKey,
    Json(wanted): Json<CreateReportSchedule>,
) -> Result<Response, Problem> {
    let (core, sources) = (&app.core, &app.core.sources);
    let made = bz_http::idempotent(
        (&core.db, &sources.clock),
        &caller.scope,
        &key,
        "report-schedules.create",
        &wanted,
        async |tx| {
            let now = sources.now();
            let next = times::first(&wanted.cron, &wanted.timezone, now)?;
            if store::count(tx).await? >= MOST {
                return Err(Problem::conflict(
                    "too_many_schedules",
                    "A tenant may have 200 schedules. Delete one first.",
                ));
            }
            let by = (caller.user.as_uuid(), now);
            Ok(store::insert(tx, sources.id(), by, &wanted, next).await?)
        },
    )
    .await?;
    Ok(made.into_response_with(|schedule: &ReportSchedule| schedule.version))
}
