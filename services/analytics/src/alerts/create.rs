use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};

use super::{
    AlertsWrite,
    resource::{Alert, CreateAlert},
    store,
};
use crate::app::AppState;

/// The most alerts of a tenant.
const MOST: i64 = 200;

/// Watch a number.
///
/// With an `Idempotency-Key` the same request may be sent again: it makes no second alert.
#[utoipa::path(
    post, path = "/api/alerts", tag = "alerts",
    security(("bearer" = ["alerts:write"])),
    params(IdempotencyKey),
    request_body = CreateAlert,
    responses(
        (status = 201, description = "The alert", body = Alert,
         headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "There are 200 already", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_alert(
    State(app): State<AppState>,
    caller: Can<AlertsWrite>,
    key: IdempotencyKey,
    Json(wanted): Json<CreateAlert>,
) -> Result<Response, Problem> {
    let (core, sources) = (&app.core, &app.core.sources);
    let made = bz_http::idempotent(
        (&core.db, &sources.clock),
        &caller.scope,
        &key,
        "alerts.create",
        &wanted,
        async |tx| {
            if store::count(tx).await? >= MOST {
                return Err(Problem::conflict(
                    "too_many_alerts",
                    "A tenant may have 200 alerts. Delete one first.",
                ));
            }
            let by = (caller.user.as_uuid(), sources.now());
            Ok(store::insert(tx, sources.id(), by, &wanted).await?)
        },
    )
    .await?;
    Ok(made.into_response_with(|alert: &Alert| alert.version))
}
