use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};

use super::{AssignmentRule, AssignmentRuleId, AssignmentRulesRead, store};
use crate::app::AppState;

/// One assignment rule.
#[utoipa::path(
    get, path = "/api/assignment-rules/{id}", tag = "assignment",
    security(("bearer" = ["assignment_rules:read"])),
    params(("id" = AssignmentRuleId, Path, description = "The rule")),
    responses(
        (status = 200, description = "The rule", body = AssignmentRule,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_assignment_rule(
    State(app): State<AppState>,
    caller: Can<AssignmentRulesRead>,
    Path(id): Path<AssignmentRuleId>,
) -> Result<Versioned<AssignmentRule>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let rule = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(rule.version, rule))
}
