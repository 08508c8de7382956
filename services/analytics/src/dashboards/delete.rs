use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};

use super::{DashboardId, DashboardsWrite, boards};
use crate::app::AppState;

/// Delete a dashboard. Its links show nothing from then on.
#[utoipa::path(
    delete, path = "/api/dashboards/{id}", tag = "dashboards",
    security(("bearer" = ["dashboards:write"])),
    params(("id" = DashboardId, Path, description = "The dashboard"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_dashboard(
    State(app): State<AppState>,
    caller: Can<DashboardsWrite>,
    Path(id): Path<DashboardId>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let version = boards::lock(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(version)?;
    boards::delete(&mut tx, id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
