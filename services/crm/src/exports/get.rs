use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};

use super::{Export, ExportsRead, shown, visible};
use crate::{app::AppState, jobs::JobId};

/// What an export is of.
///
/// One's own; owners and admins see those of everybody.
#[utoipa::path(
    get, path = "/api/exports/{id}", tag = "exports",
    security(("bearer" = ["exports:read"])),
    params(("id" = JobId, Path, description = "Its id")),
    responses((status = 200, description = "It", body = Export), bz_http::openapi::ReadProblems),
)]
pub(super) async fn get_export(
    State(app): State<AppState>,
    caller: Can<ExportsRead>,
    Path(id): Path<JobId>,
) -> Result<Json<Export>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let row = visible(&mut tx, &caller, id).await?;
    Ok(Json(shown(&row)?))
}
