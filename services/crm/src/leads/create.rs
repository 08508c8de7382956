use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};

use super::{CreateLead, Lead, LeadsWrite, store};
use crate::{app::AppState, outbox};

/// Create a lead.
///
/// With an `Idempotency-Key` the same request may be sent again: the first answer is given once more.
#[utoipa::path(
    post, path = "/api/leads", tag = "leads",
    security(("bearer" = ["leads:write"])),
    params(IdempotencyKey),
    request_body = CreateLead,
    responses(
        (status = 201, description = "The lead", body = Lead, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_lead(
    State(app): State<AppState>,
    caller: Can<LeadsWrite>,
    key: IdempotencyKey,
    Json(lead): Json<CreateLead>,
) -> Result<Response, Problem> {
    let core = &app.core;
    let created = bz_http::idempotent(
        (&core.db, &core.sources.clock),
        &caller.scope,
        &key,
        "leads.create",
        &lead,
        async |tx| {
            let created = store::insert(
                tx,
                core.sources.id(),
                caller.user,
                core.sources.now(),
                &lead,
            )
            .await?;
            outbox::lead(tx, core, &caller, "lead.created", &created).await?;
            Ok(created)
        },
    )
    .await?;
    app.wake();
    Ok(created.into_response_with(|lead| lead.version))
}
