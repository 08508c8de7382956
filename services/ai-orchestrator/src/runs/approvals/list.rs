use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};
use bz_kernel::{Page, RunId};

use super::{Approval, store};
use crate::{
    app::AppState,
    runs::{RunsRead, store as runs, whose},
};

/// What a run asked, oldest first, decided or not.
#[utoipa::path(
    get, path = "/api/runs/{id}/approvals", tag = "runs",
    security(("bearer" = ["runs:read"])),
    params(("id" = RunId, Path, description = "The run")),
    responses((status = 200, description = "All of them, on one page", body = Page<Approval>), bz_http::openapi::ReadProblems),
)]
pub(in crate::runs) async fn list_run_approvals(
    State(app): State<AppState>,
    caller: Can<RunsRead>,
    Path(id): Path<RunId>,
) -> Result<Json<Page<Approval>>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let run = runs::find(&mut tx, id, whose(&caller)).await?;
    let run = run.ok_or_else(Problem::not_found)?;
    Ok(Json(Page {
        items: store::of_run(&mut tx, run.id).await?,
        next_cursor: None,
    }))
}
