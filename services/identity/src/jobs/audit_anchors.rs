//! Anchors the audit logs once a day.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{app::AppState, audit};

/// How often it looks for logs that were not anchored for a day.
const EVERY: Duration = Duration::from_secs(60 * 60);

pub(super) async fn run(app: &AppState, stop: &CancellationToken) -> anyhow::Result<()> {
    loop {
        if let Err(error) = audit::anchor::anchor_all(app).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "the audit logs could not be anchored; the next run tries again"
            );
        }
        if !super::pause(stop, EVERY).await {
            return Ok(());
        }
    }
}
