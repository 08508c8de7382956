use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use bz_kernel::LeadId;

use super::{Lead, LeadsRead, store};
use crate::app::AppState;

/// One lead.
#[utoipa::path(
    get, path = "/api/leads/{id}", tag = "leads",
    security(("bearer" = ["leads:read"])),
    params(("id" = LeadId, Path, description = "The lead")),
    responses(
        (status = 200, description = "The lead", body = Lead, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_lead(
    State(app): State<AppState>,
    caller: Can<LeadsRead>,
    Path(id): Path<LeadId>,
) -> Result<Versioned<Lead>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let lead = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(lead.version, lead))
}
