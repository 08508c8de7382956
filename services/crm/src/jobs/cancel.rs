use axum::extract::State;
use bz_auth::{Caller, Can};
use bz_http::{Json, Path, Problem};

use super::{
    Job, JobId, JobStatus, JobsWrite,
    store::{self, JobRow},
};
use crate::app::AppState;

/// Cancel a job.
///
/// What it did until then stays. One that is over is answered as it is.
#[utoipa::path(
    delete, path = "/api/jobs/{id}", tag = "jobs",
    security(("bearer" = ["jobs:write"])),
    params(("id" = JobId, Path, description = "Its id")),
    responses(
        (status = 200, description = "It; when it was being worked on, it stops in a moment", body = Job),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn cancel_job(
    State(app): State<AppState>,
    caller: Can<JobsWrite>,
    Path(id): Path<JobId>,
) -> Result<Json<Job>, Problem> {
    let row = cancel(&app, &caller, id, None).await?;
    Ok(Json(Job::from(&row)))
}

/// Marks a job, of one kind if that is given, as not wanted; the worker ends it before its next step.
pub(crate) async fn cancel(
    app: &AppState,
    caller: &Caller,
    id: JobId,
    kind: Option<&str>,
) -> Result<JobRow, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let seen = super::visible(&mut tx, caller, id).await?;
    if kind.is_some_and(|kind| kind != seen.kind) {
        return Err(Problem::not_found());
    }
    let mut row = store::lock(&mut tx, seen.id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if row.status.is_over() || row.cancelled {
        return Ok(row);
    }
    let now = app.core.sources.now();
    row.cancelled = true;
    if row.status == JobStatus::Preparing {
        // Nothing began: there is nothing that a worker would have to put in order.
        row.status = JobStatus::Cancelled;
    }
    store::mark_cancelled(&mut tx, &row, now).await?;
    let row = store::find(&mut tx, row.id).await?;
    tx.commit().await?;
    app.hurry();
    row.ok_or_else(Problem::not_found)
}
