//! Work beside the requests.

mod audit_anchors;
mod erasure;
pub(crate) mod retention;
mod signing_keys;

use std::time::Duration;

use bz_service::Job;
use tokio_util::sync::CancellationToken;

use crate::{account, app::AppState, mail, oauth::backchannel};

/// The jobs of the service.
pub(crate) fn all(app: &AppState) -> Vec<Job> {
    let keys = app.clone();
    let anchors = app.clone();
    let mut jobs = vec![
        Job::new("signing-keys", async move |stop| {
            signing_keys::run(&keys, &stop).await
        }),
        Job::new("audit-anchors", async move |stop| {
            audit_anchors::run(&anchors, &stop).await
        }),
        erasure::job(app),
    ];
    jobs.extend(retention::jobs(app));
    jobs.extend(mail::job::jobs(app));
    jobs.extend(account::erasure::jobs(app));
    jobs.extend(bz_service::webhooks::jobs(app));
    jobs.push(backchannel::job(app));
    jobs
}

/// Waits; false when it is time to stop.
async fn pause(stop: &CancellationToken, pause: Duration) -> bool {
    stop.run_until_cancelled(tokio::time::sleep(pause))
        .await
        .is_some()
}
