use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Versioned, validated};
use bz_kernel::LeadId;

use super::{Lead, LeadsWrite, PatchLead, store};
use crate::{app::AppState, outbox};

/// Change a lead.
///
/// JSON merge patch: a missing field stays, `null` clears it. With `If-Match` the change is made only on that version.
#[utoipa::path(
    patch, path = "/api/leads/{id}", tag = "leads",
    security(("bearer" = ["leads:write"])),
    params(("id" = LeadId, Path, description = "The lead"), IfMatch),
    request_body = PatchLead,
    responses(
        (status = 200, description = "The lead as it is now", body = Lead,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn patch_lead(
    State(app): State<AppState>,
    caller: Can<LeadsWrite>,
    Path(id): Path<LeadId>,
    if_match: IfMatch,
    Json(patch): Json<PatchLead>,
) -> Result<Versioned<Lead>, Problem> {
    let core = &app.core;
    let mut tx = core.db.tenant(&caller.scope).await?;
    let lead = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(lead.version)?;
    let wanted = validated(patch.onto(lead))?;
    let lead = store::update(&mut tx, id, core.sources.now(), &wanted).await?;
    outbox::lead(&mut tx, core, &caller, "lead.updated", &lead).await?;
    tx.commit().await?;
    app.wake();
    Ok(Versioned(lead.version, lead))
}
