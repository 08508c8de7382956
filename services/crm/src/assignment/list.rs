use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Problem};
use bz_kernel::Page;

use super::{AssignmentRule, AssignmentRulesRead, store};
use crate::app::AppState;

/// The tenant's assignment rules, in the order in which they are tried.
///
/// At most 100, so there is no next page.
#[utoipa::path(
    get, path = "/api/assignment-rules", tag = "assignment",
    security(("bearer" = ["assignment_rules:read"])),
    responses((status = 200, description = "All of them", body = Page<AssignmentRule>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_assignment_rules(
    State(app): State<AppState>,
    caller: Can<AssignmentRulesRead>,
) -> Result<Json<Page<AssignmentRule>>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    Ok(Json(Page {
        items: store::all(&mut tx).await?,
        next_cursor: None,
    }))
}
