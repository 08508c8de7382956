//! The kinds of jobs: the name of each, and who does a step of it.

use bz_http::Problem;
use bz_tenant::{TenantScope, TenantTx};
use serde_json::Value;

use super::store::JobRow;
use crate::{app::AppState, bulk, imports};

/// Imports a file.
pub(crate) const IMPORT: &str = "import";
/// Takes back what an import wrote.
pub(crate) const IMPORT_UNDO: &str = "import_undo";
/// Changes many records in the same way.
pub(crate) const BULK: &str = "bulk";

/// What a step works with.
pub(crate) struct Step<'a> {
    /// The service.
    pub app: &'a AppState,
    /// The transaction of the step: its work, and the checkpoint.
    pub tx: &'a mut TenantTx,
    /// The job, locked. What the step sets of `state`, `total` and `done` is written with the step.
    pub job: &'a mut JobRow,
}

/// Whether there is more to do.
pub(crate) enum Next {
    /// There is.
    More,
    /// There is not, and this came of it.
    Done(Value),
}

/// Does the next step of a job: seconds of work at most.
pub(super) async fn step(step: Step<'_>) -> Result<Next, Problem> {
    match step.job.kind.as_str() {
        IMPORT => imports::step(step).await,
        IMPORT_UNDO => imports::undo_step(step).await,
        BULK => bulk::step(step).await,
        other => Err(Problem::internal(format!(
            "there are no jobs of kind {other}"
        ))),
    }
}

/// A job ends before it is done: what there is to be put in order.
pub(super) async fn ended(
    app: &AppState,
    scope: &TenantScope,
    job: &mut JobRow,
) -> Result<(), Problem> {
    match job.kind.as_str() {
        IMPORT => imports::ended(app, scope, job).await,
        _ => Ok(()),
    }
}

/// Calls a function that is generic over the type of record by the type's name.
macro_rules! of_type {
    ($name:expr, $record:ident => $call:expr) => {
        match $name {
            Some("lead") => {
                type $record = $crate::leads::Lead;
                $call
            }
            Some("contact") => {
                type $record = $crate::contacts::Contact;
                $call
            }
            Some("deal") => {
                type $record = $crate::deals::Deal;
                $call
            }
            Some("company") => {
                type $record = $crate::companies::Company;
                $call
            }
            Some("activity") => {
                type $record = $crate::activities::Activity;
                $call
            }
            Some("todo") => {
                type $record = $crate::todos::Todo;
                $call
            }
            other => Err(bz_http::Problem::internal(format!(
                "there are no records of type {other:?}"
            ))),
        }
    };
}
pub(crate) use of_type;
