use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem, Versioned};
use bz_kernel::LeadId;

use super::{Lead, LeadsRead};
use crate::{
    app::AppState,
    records::handlers,
    scoring::{self, LeadScore},
};

/// The lead's score, with the reasons.
///
/// The reasons add up: `base.log_odds` and all contributions make the log-odds of `probability`.
#[utoipa::path(
    get, path = "/api/leads/{id}/score", tag = "leads",
    security(("bearer" = ["leads:read"])),
    params(("id" = LeadId, Path, description = "The lead")),
    responses((status = 200, description = "The score", body = LeadScore), bz_http::openapi::ReadProblems),
)]
pub(super) async fn get_lead_score(
    State(app): State<AppState>,
    caller: Can<LeadsRead>,
    Path(id): Path<LeadId>,
) -> Result<Json<LeadScore>, Problem> {
    let Versioned(_, lead): Versioned<Lead> = handlers::get(&app, &caller, id.as_uuid()).await?;
    Ok(Json(scoring::score(&lead, app.core.sources.now())))
}
