use axum::extract::State;
use bz_auth::{Caller, Can};
use bz_http::{Json, Path, Problem};
use bz_tenant::TenantTx;

use super::{Import, ImportsRead, shown};
use crate::{
    app::AppState,
    jobs::{self, JobId, kinds::IMPORT, store::JobRow},
};

/// How an import is getting on.
///
/// At its end `created + updated + skipped + failed` is `rows_total`. One's own; owners and admins see those of everybody.
#[utoipa::path(
    get, path = "/api/imports/{id}", tag = "imports",
    security(("bearer" = ["imports:read"])),
    params(("id" = JobId, Path, description = "Its id")),
    responses((status = 200, description = "It", body = Import), bz_http::openapi::ReadProblems),
)]
pub(super) async fn get_import(
    State(app): State<AppState>,
    caller: Can<ImportsRead>,
    Path(id): Path<JobId>,
) -> Result<Json<Import>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let row = visible(&mut tx, &caller, id).await?;
    Ok(Json(shown(&row)?))
}

/// An import that the caller may see.
pub(super) async fn visible(
    tx: &mut TenantTx,
    caller: &Caller,
    id: JobId,
) -> Result<JobRow, Problem> {
    let row = jobs::visible(tx, caller, id).await?;
    if row.kind == IMPORT {
        Ok(row)
    } else {
        Err(Problem::not_found())
    }
}
