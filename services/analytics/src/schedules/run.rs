use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Path, Problem};
use uuid::Uuid;

use super::{ReportSchedulesWrite, store};
use crate::{
    app::AppState,
    reports::{Report, order},
};

/// Make the report of a schedule now, besides its times.
#[utoipa::path(
    post, path = "/api/report-schedules/{id}/run", tag = "report-schedules",
    security(("bearer" = ["report_schedules:write"])),
    params(("id" = Uuid, Path, description = "The schedule"), IdempotencyKey),
    responses(
        (status = 202, description = "The report, which is being made", body = Report,
         headers(("Location" = String, description = "Where to see how it is getting on"))),
        (status = 422, description = "Its dashboard is gone or empty", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn run_report_schedule(
    State(app): State<AppState>,
    caller: Can<ReportSchedulesWrite>,
    Path(id): Path<Uuid>,
    key: IdempotencyKey,
) -> Result<Response, Problem> {
    let core = &app.core;
    let made = bz_http::idempotent(
        (&core.db, &core.sources.clock),
        &caller.scope,
        &key,
        "report-schedules.run",
        &id,
        async |tx| {
            let schedule = store::find(tx, id).await?.ok_or_else(Problem::not_found)?;
            let by = caller.user.as_uuid();
            order::report(&app, tx, by, &schedule.report, None)
                .await?
                .ok_or_else(Problem::not_found)
        },
    )
    .await?;
    app.reports.wake();
    let location = [(header::LOCATION, format!("/api/reports/{}", made.value.id))];
    Ok((StatusCode::ACCEPTED, location, made.into_response()).into_response())
}
