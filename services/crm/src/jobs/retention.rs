//! Deletes jobs and what belongs to them when they have served their time.

use bz_service::{Job, retention};
use chrono::TimeDelta;

use super::store;
use crate::app::AppState;

/// How long a job and the rows that failed in it can be looked at after its end.
const KEPT: TimeDelta = TimeDelta::days(30);
/// How long an import can be undone after its end. An upload that is not finished by then goes too.
pub(crate) const UNDO: TimeDelta = TimeDelta::hours(72);

/// The job.
pub(crate) fn job(app: &AppState) -> Job {
    let app = app.clone();
    retention::job("retention-jobs", move || {
        let app = app.clone();
        async move {
            let now = app.core.sources.now();
            store::purge(&app.core.db, now - KEPT, now - UNDO, retention::BATCH).await
        }
    })
}
