use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};

use super::{Automation, AutomationsManage, CreateAutomation, rules, store};
use crate::app::AppState;

/// The most automations of a tenant.
const MOST: i64 = 200;

/// Set up an automation.
///
/// It acts as the caller, sees what the caller sees and may do what the caller may do.
#[utoipa::path(
    post, path = "/api/automations", tag = "automations",
    security(("bearer" = ["automations:manage"])),
    params(IdempotencyKey),
    request_body = CreateAutomation,
    responses(
        (status = 201, description = "The automation", body = Automation, headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "The name is taken, or there are 200 already", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_automation(
    State(app): State<AppState>,
    caller: Can<AutomationsManage>,
    key: IdempotencyKey,
    Json(request): Json<CreateAutomation>,
) -> Result<Response, Problem> {
    let sources = &app.core.sources;
    let made = bz_http::idempotent(
        (&app.core.db, &sources.clock),
        &caller.scope,
        &key,
        "automations.create",
        &request,
        async |tx| {
            rules::check(&app, tx, &caller, &request).await?;
            if store::count(tx).await? >= MOST {
                return Err(Problem::conflict(
                    "too_many_automations",
                    "A tenant has at most 200 automations.",
                ));
            }
            store::insert(tx, &caller, (sources.id(), sources.now()), &request).await
        },
    )
    .await?;
    Ok(made.into_response_with(|automation| automation.version))
}
