use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};

use super::{AssignmentRuleId, AssignmentRulesManage, store};
use crate::app::AppState;

/// Delete an assignment rule.
///
/// Leads that it assigned stay with their owners.
#[utoipa::path(
    delete, path = "/api/assignment-rules/{id}", tag = "assignment",
    security(("bearer" = ["assignment_rules:manage"])),
    params(("id" = AssignmentRuleId, Path, description = "The rule"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_assignment_rule(
    State(app): State<AppState>,
    caller: Can<AssignmentRulesManage>,
    Path(id): Path<AssignmentRuleId>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let before = store::find_for_update(&mut tx, id).await?;
    if_match.check(before.ok_or_else(Problem::not_found)?.version)?;
    store::delete(&mut tx, id).await?;
    tx.commit().await?;
    app.known.rules.invalidate(&caller.tenant());
    Ok(StatusCode::NO_CONTENT)
}
