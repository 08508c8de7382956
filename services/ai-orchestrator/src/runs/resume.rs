use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, Json, Path, Problem, Validate};
use bz_kernel::RunId;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Limits, Run, RunStatus, RunsWrite, approvals, store, whose};
use crate::app::AppState;

/// With what a run goes on.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResumeRun {
    /// Limits that replace those of the run, for one that reached them.
    #[serde(default, deserialize_with = "bz_http::object")]
    limits: Limits,
}

impl Validate for ResumeRun {
    fn validate(&self, errors: &mut Errors) {
        self.limits.check(errors, "/limits");
    }
}

/// Let a run go on where it stopped: one that failed, was ended or reached a limit, and one whose token has ended. It works with
/// the token of this request from now on, when its own user sends it.
#[utoipa::path(
    post, path = "/api/runs/{id}/resume", tag = "runs",
    security(("bearer" = ["runs:write"])),
    params(("id" = RunId, Path, description = "The run")),
    request_body = ResumeRun,
    responses((status = 200, description = "The run, which waits for a worker", body = Run), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn resume_run(
    State(app): State<AppState>,
    caller: Can<RunsWrite>,
    Path(id): Path<RunId>,
    Json(wanted): Json<ResumeRun>,
) -> Result<Json<Run>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let run = store::find_for_update(&mut tx, id, whose(&caller)).await?;
    let run = run.ok_or_else(Problem::not_found)?;
    let waits = run.status == RunStatus::WaitingApproval;
    let refusal = match run.status {
        RunStatus::Succeeded => Some("It is done."),
        RunStatus::Queued | RunStatus::Running => Some("It is not stopped."),
        _ if waits && approvals::store::pending(&mut tx, id).await? > 0 => {
            Some("It waits for a decision: see its approvals.")
        }
        _ if run.created_by != caller.user => {
            Some("It works with its user's token, which only its user can renew.")
        }
        _ => None,
    };
    if let Some(refusal) = refusal {
        return Err(Problem::conflict("run_not_resumable", refusal));
    }
    let mut plan = store::plan_of(&mut tx, id).await?;
    plan.limits = plan.limits.replaced(wanted.limits);
    let changed = (Some(&plan), Some(app.credential(id, caller.token())));
    let told = ("run.resumed", json!({ "by": caller.user }));
    let run = store::requeue(&mut tx, id, changed, told, app.core.sources.now()).await?;
    tx.commit().await?;
    app.runs.wake();
    Ok(Json(run))
}
