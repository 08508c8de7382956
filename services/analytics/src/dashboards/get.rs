use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};

use super::{Dashboard, DashboardId, DashboardsRead, boards};
use crate::app::AppState;

/// One dashboard with its tiles.
#[utoipa::path(
    get, path = "/api/dashboards/{id}", tag = "dashboards",
    security(("bearer" = ["dashboards:read"])),
    params(("id" = DashboardId, Path, description = "The dashboard")),
    responses(
        (status = 200, description = "It", body = Dashboard, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_dashboard(
    State(app): State<AppState>,
    caller: Can<DashboardsRead>,
    Path(id): Path<DashboardId>,
) -> Result<Versioned<Dashboard>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let dashboard = boards::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(dashboard.version, dashboard))
}
