//! Runs of agents and crews. Every step is in a journal, so that another worker goes on where one was lost, and nothing that is
//! done is done again.

mod approvals;
pub(crate) mod cancel;
mod create;
mod deltas;
mod engine;
mod events;
mod fork;
mod get;
pub(crate) mod journal;
mod limits;
mod list;
mod model;
pub(crate) mod order;
pub(crate) mod plan;
mod resume;
mod steps;
pub(crate) mod store;
mod told;
mod worker;

use bz_auth::Caller;
use bz_http::{Routes, routes};
use bz_kernel::UserId;
use bz_service::{Core, Job, retention};
use bz_tenant::DbError;
use chrono::TimeDelta;
use sqlx::query_scalar;

use crate::app::AppState;

pub(crate) use create::CreateRun;
pub(crate) use limits::{Limits, RunLimits};
pub(crate) use model::{
    Run, RunError, RunKind, RunOutput, RunStatus, RunUsage, Subject, TaskResult,
};
pub(crate) use worker::{Pace, Runs};

bz_auth::permissions! {
    /// See one's own runs.
    RunsRead = "runs:read",
    /// Start, end and decide one's own runs.
    RunsWrite = "runs:write",
    /// See, end and decide the runs of everybody in the tenant.
    RunsManage = "runs:manage",
}

bz_kernel::typed_id!(
    /// What a run asks a person.
    ApprovalId
);

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(list::list_runs, create::create_run))
        .routes(routes!(get::get_run))
        .routes(routes!(steps::list_run_steps))
        .routes(routes!(events::stream_run_events))
        .routes(routes!(cancel::cancel_run))
        .routes(routes!(resume::resume_run))
        .routes(routes!(fork::fork_run))
        .routes(routes!(approvals::list::list_run_approvals))
        .routes(routes!(approvals::decide::decide_run_approval))
}

/// The jobs: the worker, and the retention of runs that are over.
pub(crate) fn jobs(app: &AppState, kept: TimeDelta) -> Vec<Job> {
    let core = app.core.clone();
    vec![
        worker::job(app),
        retention::job("retention-runs", move || purge(core.clone(), kept)),
    ]
}

/// Deletes a batch of runs that were over before.
async fn purge(core: Core, kept: TimeDelta) -> Result<i64, DbError> {
    let mut tx = core.db.system().await?;
    let deleted = query_scalar("-- ai.runs.purge\nSELECT ai.purge_runs($1, $2)")
        .bind(core.sources.now() - kept)
        .bind(retention::BATCH)
        .fetch_one(tx.conn())
        .await?;
    tx.commit().await?;
    Ok(deleted)
}

/// Whose runs a caller gets to see: a run tells what its user may see, which others may not.
pub(crate) fn whose(caller: &Caller) -> Option<UserId> {
    (!caller.permissions.has::<RunsManage>()).then_some(caller.user)
}
