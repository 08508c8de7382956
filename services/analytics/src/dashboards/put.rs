use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Versioned};

use super::{Dashboard, DashboardId, DashboardsWrite, WantedDashboard, boards};
use crate::app::AppState;

/// Replace a dashboard.
///
/// With `If-Match` the change is made only on that version.
#[utoipa::path(
    put, path = "/api/dashboards/{id}", tag = "dashboards",
    security(("bearer" = ["dashboards:write"])),
    params(("id" = DashboardId, Path, description = "The dashboard"), IfMatch),
    request_body = WantedDashboard,
    responses(
        (status = 200, description = "It, as it is now", body = Dashboard,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn put_dashboard(
    State(app): State<AppState>,
    caller: Can<DashboardsWrite>,
    Path(id): Path<DashboardId>,
    if_match: IfMatch,
    Json(wanted): Json<WantedDashboard>,
) -> Result<Versioned<Dashboard>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let version = boards::lock(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(version)?;
    let after = boards::update(&mut tx, app.core.sources.now(), id, &wanted).await?;
    tx.commit().await?;
    Ok(Versioned(after.version, after))
}
