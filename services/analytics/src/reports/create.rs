use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};

use super::{
    ReportsWrite, order,
    resource::{CreateReport, Report},
};
use crate::app::AppState;

/// Make a report of a dashboard or of tiles.
///
/// The numbers are read once, from one snapshot, and every file shows them. With an `Idempotency-Key` the same request may
/// be sent again: it makes no second report.
#[utoipa::path(
    post, path = "/api/reports", tag = "reports",
    security(("bearer" = ["reports:write"])),
    params(IdempotencyKey),
    request_body = CreateReport,
    responses(
        (status = 202, description = "It is being made", body = Report,
         headers(("Location" = String, description = "Where to see how it is getting on"))),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_report(
    State(app): State<AppState>,
    caller: Can<ReportsWrite>,
    key: IdempotencyKey,
    Json(wanted): Json<CreateReport>,
) -> Result<Response, Problem> {
    let core = &app.core;
    let made = bz_http::idempotent(
        (&core.db, &core.sources.clock),
        &caller.scope,
        &key,
        "reports.create",
        &wanted,
        async |tx| {
            order::report(&app, tx, caller.user.as_uuid(), &wanted, None)
                .await?
                .ok_or_else(Problem::not_found)
        },
    )
    .await?;
    app.reports.wake();
    let location = [(header::LOCATION, format!("/api/reports/{}", made.value.id))];
    Ok((StatusCode::ACCEPTED, location, made.into_response()).into_response())
}
