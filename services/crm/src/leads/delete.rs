use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use bz_kernel::LeadId;

use super::{LeadsWrite, store};
use crate::{app::AppState, outbox};

/// Delete a lead.
#[utoipa::path(
    delete, path = "/api/leads/{id}", tag = "leads",
    security(("bearer" = ["leads:write"])),
    params(("id" = LeadId, Path, description = "The lead"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_lead(
    State(app): State<AppState>,
    caller: Can<LeadsWrite>,
    Path(id): Path<LeadId>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let lead = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(lead.version)?;
    store::delete(&mut tx, id).await?;
    outbox::lead(&mut tx, &app.core, &caller, "lead.deleted", &lead).await?;
    tx.commit().await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
