use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};

use super::{CaptureForm, CaptureFormsManage, MOST_FORMS, WantedForm, store};
use crate::{app::AppState, problems};

/// Create a capture form.
///
/// The answer has the `key` that the page posts to.
#[utoipa::path(
    post, path = "/api/capture-forms", tag = "capture",
    security(("bearer" = ["capture_forms:manage"])),
    params(IdempotencyKey),
    request_body = WantedForm,
    responses(
        (status = 201, description = "The form", body = CaptureForm,
         headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "There is one with this name, or there are as many as there may be", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_capture_form(
    State(app): State<AppState>,
    caller: Can<CaptureFormsManage>,
    key: IdempotencyKey,
    Json(wanted): Json<WantedForm>,
) -> Result<Response, Problem> {
    let core = &app.core;
    let (db, sources) = (&core.db, &core.sources);
    let created = bz_http::idempotent(
        (db, &sources.clock),
        &caller.scope,
        &key,
        "capture_form.created",
        &wanted,
        async |tx| {
            if store::all(tx).await?.len() >= MOST_FORMS {
                return Err(problems::too_many("capture forms", MOST_FORMS));
            }
            // Long enough that nobody guesses another tenant's.
            let key = format!("{:032x}", u128::from_be_bytes(sources.rng.bytes()));
            let ids = (sources.id(), key.as_str(), caller.user.as_uuid());
            store::insert(tx, ids, sources.now(), &wanted).await
        },
    )
    .await?;
    Ok(created.into_response_with(|form| form.version))
}
