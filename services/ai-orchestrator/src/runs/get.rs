use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};
use bz_kernel::RunId;

use super::{Run, RunsRead, store, whose};
use crate::app::AppState;

/// One run.
#[utoipa::path(
    get, path = "/api/runs/{id}", tag = "runs",
    security(("bearer" = ["runs:read"])),
    params(("id" = RunId, Path, description = "The run")),
    responses((status = 200, description = "The run", body = Run), bz_http::openapi::ReadProblems),
)]
pub(super) async fn get_run(
    State(app): State<AppState>,
    caller: Can<RunsRead>,
    Path(id): Path<RunId>,
) -> Result<Json<Run>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let run = store::find(&mut tx, id, whose(&caller)).await?;
    run.map(Json).ok_or_else(Problem::not_found)
}
