use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};
use bz_kernel::{RunId, UserId};
use bz_tenant::{DbError, TenantTx};

use super::{
    Run, RunStatus, RunsWrite, store,
    told::{self, Finished},
    whose,
};
use crate::app::AppState;

/// End a run. One on which nobody works is over at once; of one that runs, the request in flight is broken off within a second.
/// A run that is over stays as it is.
#[utoipa::path(
    post, path = "/api/runs/{id}/cancel", tag = "runs",
    security(("bearer" = ["runs:write"])),
    params(("id" = RunId, Path, description = "The run")),
    responses((status = 200, description = "The run", body = Run), bz_http::openapi::ReadProblems),
)]
pub(super) async fn cancel_run(
    State(app): State<AppState>,
    caller: Can<RunsWrite>,
    Path(id): Path<RunId>,
) -> Result<Json<Run>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let run = store::find_for_update(&mut tx, id, whose(&caller)).await?;
    let run = run.ok_or_else(Problem::not_found)?;
    if run.status.is_over() {
        return Ok(Json(run));
    }
    let run = cancel(&app, &mut tx, &run, Some(caller.user)).await?;
    tx.commit().await?;
    app.runs.cancel(id);
    app.wake();
    Ok(Json(run))
}

/// Ends a run that is not over, or tells its worker to.
pub(crate) async fn cancel(
    app: &AppState,
    tx: &mut TenantTx,
    run: &Run,
    by: Option<UserId>,
) -> Result<Run, DbError> {
    let sources = &app.core.sources;
    let running = run.status == RunStatus::Running;
    let run = store::cancel(tx, run.id, running, sources.now()).await?;
    if !running {
        let over = Finished {
            run_id: run.id,
            status: run.status.name(),
            crew_id: run.subject.crew(),
            created_by: run.created_by,
        };
        told::finished(tx, sources, by, over).await?;
    }
    Ok(run)
}
