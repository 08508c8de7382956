use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{Path, Problem};

use super::{ShareId, store};
use crate::{
    app::AppState,
    dashboards::{DashboardId, DashboardsWrite},
};

/// Revoke a link. It shows nothing from then on; revoking it again changes nothing.
#[utoipa::path(
    delete, path = "/api/dashboards/{id}/shares/{share_id}", tag = "dashboards",
    security(("bearer" = ["dashboards:write"])),
    params(
        ("id" = DashboardId, Path, description = "The dashboard"),
        ("share_id" = ShareId, Path, description = "The link"),
    ),
    responses((status = 204, description = "It shows nothing any more"), bz_http::openapi::ReadProblems),
)]
pub(super) async fn revoke_share(
    State(app): State<AppState>,
    caller: Can<DashboardsWrite>,
    Path(path): Path<(DashboardId, ShareId)>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    if !store::revoke(&mut tx, path, app.core.sources.now()).await? {
        return Err(Problem::not_found());
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
