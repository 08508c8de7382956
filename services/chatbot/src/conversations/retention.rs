//! Deletes conversations that have served their time.

use bz_service::{Core, Job, retention};
use chrono::TimeDelta;

use super::store;

/// The job; none when conversations are kept for good.
pub(crate) fn job(core: &Core, days: u32) -> Option<Job> {
    let kept = TimeDelta::days(i64::from(days));
    let core = core.clone();
    (days > 0).then(|| {
        retention::job("retention-conversations", move || {
            let core = core.clone();
            async move {
                let before = core.sources.now() - kept;
                store::purge(&core.db, before, retention::BATCH).await
            }
        })
    })
}
