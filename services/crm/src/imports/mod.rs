//! Imports: a CSV file of records. The upload is read as it comes and kept in pieces of whole rows; a job then imports
//! piece by piece, each in one transaction together with its checkpoint, by the rules that the API has.

mod apply;
mod batch;
mod cancel;
mod cells;
mod errors;
mod events;
mod get;
mod keys;
mod mapping;
mod piece;
mod plan;
mod store;
mod undo;
mod undo_step;
pub(crate) mod upload;
mod write;

use bz_http::{Problem, Routes, routes};
use bz_kernel::UserId;
use bz_tenant::{TenantScope, TenantTx};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) use plan::ImportQuery;
use plan::{Mode, OnDuplicate, Plan};

use crate::{
    app::AppState,
    jobs::{
        JobId, JobStatus,
        kinds::{Next, Step, of_type},
        percent, retention,
        store::JobRow,
    },
    leads::LEAD,
    scoring::rescore,
};

bz_auth::permissions! {
    /// See one's imports and the rows that failed in them.
    ImportsRead = "imports:read",
    /// Cancel and undo one's imports.
    ImportsWrite = "imports:write",
}

/// The routes of this resource; those that begin an import are the types' own.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(get::get_import, cancel::cancel_import))
        .routes(routes!(errors::list_import_errors))
        .routes(routes!(events::get_import_events))
        .routes(routes!(undo::undo_import))
}

/// An import.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Import {
    /// Its id, which is also that of its job.
    pub id: JobId,
    /// The type of the records.
    pub record_type: String,
    /// How it is doing.
    pub status: JobStatus,
    /// What becomes of rows.
    pub mode: Mode,
    /// The fields by which a row is the same as a record, in this order.
    pub match_on: Vec<String>,
    /// What becomes of rows that are there already.
    pub on_duplicate: OnDuplicate,
    /// Whether nothing is written.
    pub dry_run: bool,
    /// Whether new leads without an owner get one by the assignment rules.
    pub assign: bool,
    /// The fields that the columns of the file go to, by their headings; `null` is left out.
    #[schema(value_type = Object)]
    pub mapping: Map<String, Value>,
    /// How many rows the file has.
    pub rows_total: i64,
    /// Rows that became records.
    pub created: i64,
    /// Rows that changed records.
    pub updated: i64,
    /// Rows that were left out: duplicates, what changed nothing, and what was not reached when it was cancelled.
    pub skipped: i64,
    /// Rows that could not be imported: `/api/imports/{id}/errors`.
    pub failed: i64,
    /// How much is done.
    pub percent: Option<f64>,
    /// How fast it goes.
    pub rows_per_s: Option<f64>,
    /// When it will be done, going on like this.
    pub eta: Option<DateTime<Utc>>,
    /// Why it failed: `code` and `detail`.
    #[schema(value_type = Option<Object>)]
    pub error: Option<Value>,
    /// Until when it can be undone.
    pub undo_until: Option<DateTime<Utc>>,
    /// The job that undoes it.
    pub undo_job: Option<JobId>,
    /// Who ordered it.
    pub created_by: UserId,
    /// When it was ordered.
    pub created_at: DateTime<Utc>,
    /// When the work began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was over.
    pub finished_at: Option<DateTime<Utc>>,
}

/// How far an import is: the checkpoint of its job.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Progress {
    pub created: i64,
    pub updated: i64,
    pub skipped: i64,
    pub failed: i64,
    /// The job that undoes it.
    #[serde(default)]
    pub undo: Option<Uuid>,
}

impl Progress {
    fn of(row: &JobRow) -> Self {
        serde_json::from_value(row.state.clone()).unwrap_or_default()
    }

    const fn rows(self) -> i64 {
        self.created + self.updated + self.skipped + self.failed
    }

    fn result(self) -> Value {
        serde_json::json!({
            "created": self.created, "updated": self.updated, "skipped": self.skipped, "failed": self.failed
        })
    }
}

/// An import as it is answered.
fn shown(row: &JobRow) -> Result<Import, Problem> {
    let plan = Plan::of(row)?;
    let progress = Progress::of(row);
    let spent = row.started_at.map(|at| row.updated_at - at);
    let seconds = spent.map(chrono::TimeDelta::as_seconds_f64);
    let rows_per_s = seconds
        .filter(|seconds| *seconds > 0.0 && row.done > 0)
        .map(|seconds| (row.done as f64 / seconds * 10.0).round() / 10.0);
    let left = row.total.unwrap_or(0) - row.done;
    let eta = rows_per_s
        .filter(|_| row.status == JobStatus::Running)
        .and_then(|rate| chrono::TimeDelta::try_milliseconds((left as f64 / rate * 1000.0) as i64))
        .map(|left| row.updated_at + left);
    let written = !plan.dry_run && progress.created + progress.updated > 0;
    let undo_until = row
        .finished_at
        .filter(|_| written && progress.undo.is_none());
    Ok(Import {
        id: row.id.into(),
        record_type: row.record_type.clone().unwrap_or_default(),
        status: row.status,
        mode: plan.mode,
        match_on: plan.match_on.clone(),
        on_duplicate: plan.on_duplicate,
        dry_run: plan.dry_run,
        assign: plan.assign,
        mapping: plan.mapping(),
        rows_total: row.total.unwrap_or(0),
        created: progress.created,
        updated: progress.updated,
        skipped: progress.skipped,
        failed: progress.failed,
        percent: percent(row),
        rows_per_s,
        eta,
        error: row.error.clone(),
        undo_until: undo_until.map(|at| at + retention::UNDO),
        undo_job: progress.undo.map(Into::into),
        created_by: row.created_by.into(),
        created_at: row.created_at,
        started_at: row.started_at,
        finished_at: row.finished_at,
    })
}

/// Imports the next piece of the file.
pub(crate) async fn step(step: Step<'_>) -> Result<Next, Problem> {
    let name = step.job.record_type.clone();
    of_type!(name.as_deref(), R => piece::step::<R>(step).await)
}

/// Takes back some of what an import wrote.
pub(crate) async fn undo_step(step: Step<'_>) -> Result<Next, Problem> {
    let name = step.job.record_type.clone();
    of_type!(name.as_deref(), R => undo_step::step::<R>(step).await)
}

/// An import ends early: the rows that were not reached count as left out, and the pieces go.
pub(crate) async fn ended(
    app: &AppState,
    scope: &TenantScope,
    job: &mut JobRow,
) -> Result<(), Problem> {
    let mut progress = Progress::of(job);
    let total = job.total.unwrap_or(0);
    progress.skipped += total - progress.rows();
    job.done = total;
    job.state = serde_json::to_value(progress).map_err(Problem::internal)?;
    job.result = Some(progress.result());
    let mut tx = app.core.db.tenant(scope).await?;
    store::drop_pieces(&mut tx, job.id).await?;
    score(app, &mut tx, job, progress).await?;
    Ok(tx.commit().await?)
}

/// Has the leads scored that an import wrote: its events name none of them.
async fn score(
    app: &AppState,
    tx: &mut TenantTx,
    job: &JobRow,
    progress: Progress,
) -> Result<(), Problem> {
    let leads = job.record_type.as_deref() == Some(LEAD.name);
    let written = progress.created + progress.updated > 0;
    if leads && written && !Plan::of(job)?.dry_run {
        rescore::imported(app, tx).await?;
    }
    Ok(())
}
