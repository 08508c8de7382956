use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};
use uuid::Uuid;

use super::{RollupRebuild, RollupsManage};
use crate::app::AppState;

/// Look at an order to count everything again.
#[utoipa::path(
    get, path = "/api/analytics/rollup-rebuilds/{id}", tag = "events",
    security(("bearer" = ["rollups:manage"])),
    params(("id" = Uuid, Path, description = "Its id")),
    responses((status = 200, description = "How far it is", body = RollupRebuild), bz_http::openapi::ReadProblems),
)]
pub(super) async fn get_rollup_rebuild(
    State(app): State<AppState>,
    caller: Can<RollupsManage>,
    Path(id): Path<Uuid>,
) -> Result<Json<RollupRebuild>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let order = RollupRebuild::find(&mut tx, id).await?;
    order.map(Json).ok_or_else(Problem::not_found)
}
