use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Problem};
use bz_kernel::Page;

use super::{Budget, BudgetsRead, store};
use crate::app::AppState;

/// The budgets and what is used of them in the current day or month.
#[utoipa::path(
    get, path = "/api/budgets", tag = "budgets",
    security(("bearer" = ["budgets:read"])),
    responses((status = 200, description = "All budgets, on one page", body = Page<Budget>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_budgets(
    State(app): State<AppState>,
    caller: Can<BudgetsRead>,
) -> Result<Json<Page<Budget>>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let items = store::list(&mut tx, caller.user.as_uuid(), app.core.sources.now()).await?;
    Ok(Json(Page {
        items,
        next_cursor: None,
    }))
}
