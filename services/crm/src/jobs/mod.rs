//! Work that outlives its request. A job is a row: what was ordered, how far it is, what came of it. A worker takes it
//! with a lease and does it step by step; a step is one transaction that also writes the checkpoint, so that a process
//! that is killed loses no more than the step in hand, and none is done twice.
//!
//! A kind of job is an entry in [`kinds`]; [`order`] begins one.

pub(crate) mod cancel;
pub(crate) mod endpoints;
pub(crate) mod events;
mod get;
pub(crate) mod kinds;
pub(crate) mod retention;
pub(crate) mod run;
pub(crate) mod store;

use bz_auth::Caller;
use bz_http::{Problem, Routes, routes};
use bz_kernel::UserId;
use bz_tenant::TenantTx;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{app::AppState, rules};

bz_kernel::typed_id!(
    /// A job: an import, a bulk change, and what else is long.
    JobId
);

bz_auth::permissions! {
    /// See how one's jobs are getting on.
    JobsRead = "jobs:read",
    /// Cancel one's jobs.
    JobsWrite = "jobs:write",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(get::get_job, cancel::cancel_job))
        .routes(routes!(events::get_job_events))
}

/// How a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JobStatus {
    /// What it needs is being received.
    Preparing,
    /// It waits for its turn.
    Queued,
    /// It is being worked on.
    Running,
    /// It is done.
    Succeeded,
    /// It could not be done: `error`.
    Failed,
    /// Somebody did not want it any more.
    Cancelled,
}

rules::read_from_text!(JobStatus);

impl TryFrom<String> for JobStatus {
    type Error = serde_json::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        serde_json::from_value(Value::String(text))
    }
}

impl JobStatus {
    /// The status as text, as in JSON and in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing will change any more.
    pub(crate) const fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// Work that outlives its request.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Job {
    /// Its id.
    pub id: JobId,
    /// What it does: `import`, `import_undo`, `bulk`.
    pub kind: String,
    /// The type of record that it works on.
    pub record_type: Option<String>,
    /// How it is doing.
    pub status: JobStatus,
    /// How many things there are to do, once that is known.
    pub total: Option<i64>,
    /// How many of them are done.
    pub done: i64,
    /// The same in percent.
    pub percent: Option<f64>,
    /// What came of it.
    #[schema(value_type = Option<Object>)]
    pub result: Option<Value>,
    /// Why it failed: `code` and `detail`.
    #[schema(value_type = Option<Object>)]
    pub error: Option<Value>,
    /// Who ordered it.
    pub created_by: UserId,
    /// When it was ordered.
    pub created_at: DateTime<Utc>,
    /// When the work began.
    pub started_at: Option<DateTime<Utc>>,
    /// When something last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was over.
    pub finished_at: Option<DateTime<Utc>>,
    /// Grows with every change; the id of its server-sent events.
    pub version: i64,
}

impl From<&store::JobRow> for Job {
    fn from(row: &store::JobRow) -> Self {
        Self {
            id: row.id.into(),
            kind: row.kind.clone(),
            record_type: row.record_type.clone(),
            status: row.status,
            total: row.total,
            done: row.done,
            percent: percent(row),
            result: row.result.clone(),
            error: row.error.clone(),
            created_by: row.created_by.into(),
            created_at: row.created_at,
            started_at: row.started_at,
            updated_at: row.updated_at,
            finished_at: row.finished_at,
            version: row.version,
        }
    }
}

/// How far a job is, in percent with one decimal.
pub(crate) fn percent(row: &store::JobRow) -> Option<f64> {
    let total = row.total?;
    let share = if total == 0 {
        1.0
    } else {
        row.done as f64 / total as f64
    };
    Some((share * 1000.0).round() / 10.0)
}

/// What somebody wants done.
pub(crate) struct Order {
    /// Which kind of job.
    pub kind: &'static str,
    /// The type of record.
    pub record_type: &'static str,
    /// What exactly.
    pub params: Value,
    /// How many things there are to do, if that is known.
    pub total: Option<i64>,
    /// How it begins.
    pub status: JobStatus,
}

/// Begins a job for a user, in a transaction. Call [`AppState::hurry`] after the commit.
pub(crate) async fn order(
    app: &AppState,
    tx: &mut TenantTx,
    user: UserId,
    order: Order,
) -> Result<store::JobRow, Problem> {
    let (id, now): (Uuid, _) = (app.core.sources.id(), app.core.sources.now());
    Ok(store::insert(tx, id, user, now, order).await?)
}

/// A job that the caller may see: their own; owners and admins see everybody's.
///
/// # Errors
/// 404 for any other.
pub(crate) async fn visible(
    tx: &mut TenantTx,
    caller: &Caller,
    id: JobId,
) -> Result<store::JobRow, Problem> {
    let row = store::find(tx, id.as_uuid()).await?;
    row.filter(|row| may_see(caller, row))
        .ok_or_else(Problem::not_found)
}

fn may_see(caller: &Caller, row: &store::JobRow) -> bool {
    let roles = &caller.claims.roles;
    row.created_by == caller.user.as_uuid()
        || roles.iter().any(|role| role == "owner" || role == "admin")
}
