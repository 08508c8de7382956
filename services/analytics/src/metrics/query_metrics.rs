use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bz_auth::{Caller, Can};
use bz_http::{Json, Problem};

use super::MetricsRead;
use crate::{
    app::AppState,
    query::{Frame, Query, is_for_a_worker},
    reports::{Report, ReportsRead, order},
};

/// Ask for numbers.
///
/// Metrics of the catalogue over days of a time zone, by piece of time and dimensions, against another period. Totals are
/// computed and not summed, a quotient by zero is null, and amounts of two currencies are not added. `meta` says what was
/// read and whether the period is over; nothing that is answered is older than the last write.
///
/// What takes longer than one waits, because more than 500,000 events have to be counted one by one, is answered with 202 and
/// a report: its JSON file has the numbers. Asking the same again before it is done answers the same report. Whoever may not
/// see reports gets 422, as everybody does beyond 20,000,000 events.
#[utoipa::path(
    post, path = "/api/metrics/query", tag = "metrics",
    security(("bearer" = ["metrics:read"])),
    request_body = Query,
    responses(
        (status = 200, description = "The numbers", body = Frame),
        (status = 202, description = "They are counted in the background, as a report", body = Report,
         headers(("Location" = String, description = "Where to see how it is getting on"))),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn query_metrics(
    State(app): State<AppState>,
    caller: Can<MetricsRead>,
    Json(query): Json<Query>,
) -> Result<Response, Problem> {
    match app.engine.answer(&caller.scope, &query).await {
        Ok(frame) => Ok(Json(frame).into_response()),
        Err(problem) if is_for_a_worker(&problem) && caller.permissions.has::<ReportsRead>() => {
            later(&app, &caller, &query).await
        }
        Err(problem) => Err(problem),
    }
}

async fn later(app: &AppState, caller: &Caller, query: &Query) -> Result<Response, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let report = order::of_question(app, &mut tx, caller.user.as_uuid(), query).await?;
    tx.commit().await?;
    app.reports.wake();
    let location = [(header::LOCATION, format!("/api/reports/{}", report.id))];
    Ok((StatusCode::ACCEPTED, location, Json(report)).into_response())
}
