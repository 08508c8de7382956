use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Versioned};

use super::{AssignmentRule, AssignmentRuleId, AssignmentRulesManage, WantedRule, create, store};
use crate::app::AppState;

/// Replace an assignment rule.
///
/// Whose turn it is stays. With `If-Match` the change is made only on that version.
#[utoipa::path(
    put, path = "/api/assignment-rules/{id}", tag = "assignment",
    security(("bearer" = ["assignment_rules:manage"])),
    params(("id" = AssignmentRuleId, Path, description = "The rule"), IfMatch),
    request_body = WantedRule,
    responses(
        (status = 200, description = "The rule, as it is now", body = AssignmentRule,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn put_assignment_rule(
    State(app): State<AppState>,
    caller: Can<AssignmentRulesManage>,
    Path(id): Path<AssignmentRuleId>,
    if_match: IfMatch,
    Json(wanted): Json<WantedRule>,
) -> Result<Versioned<AssignmentRule>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let before = store::find_for_update(&mut tx, id).await?;
    let before = before.ok_or_else(Problem::not_found)?;
    if_match.check(before.version)?;
    create::check(&app, &mut tx, &caller, &wanted).await?;
    let rule = store::update(&mut tx, id, app.core.sources.now(), &wanted).await?;
    tx.commit().await?;
    app.known.rules.invalidate(&caller.tenant());
    Ok(Versioned(rule.version, rule))
}
