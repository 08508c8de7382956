use axum::extract::State;
use bz_auth::Can;
use bz_http::{Problem, Versioned};

use super::ScoringRead;
use crate::{
    app::AppState,
    scoring::{rule_set::RuleSet, settings},
};

/// The rules by which leads are scored without a model.
#[utoipa::path(
    get, path = "/api/scoring/rules", tag = "scoring",
    security(("bearer" = ["scoring:read"])),
    responses(
        (status = 200, description = "The rules", body = RuleSet,
         headers(("ETag" = String, description = "Version of the settings"))),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn get_scoring_rules(
    State(app): State<AppState>,
    caller: Can<ScoringRead>,
) -> Result<Versioned<RuleSet>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let setup = settings::fresh(&app, &mut tx).await?;
    Ok(Versioned(setup.version, RuleSet::clone(&setup.rules)))
}
