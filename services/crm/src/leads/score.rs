use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};
use bz_kernel::LeadId;

use super::{LeadsRead, store};
use crate::{
    app::AppState,
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
    let mut tx = app.core.db.read(&caller.scope).await?;
    let lead = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Json(scoring::score(&lead, app.core.sources.now())))
}
