//! Work beside the requests.

mod erasure;
mod retention;
mod signing_keys;

use std::time::Duration;

use bz_service::Job;
use tokio_util::sync::CancellationToken;

use crate::app::AppState;

/// The jobs of the service.
pub(crate) fn all(app: &AppState) -> Vec<Job> {
    let keys = app.clone();
    vec![
        Job::new("signing-keys", async move |stop| {
            signing_keys::run(&keys, &stop).await
        }),
        retention::job(app),
        erasure::job(app),
    ]
}

/// Waits; false when it is time to stop.
async fn pause(stop: &CancellationToken, pause: Duration) -> bool {
    stop.run_until_cancelled(tokio::time::sleep(pause))
        .await
        .is_some()
}
