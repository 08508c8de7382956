//! Keeps the signing keys fresh: what another replica made is known here a minute later.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::AppState;

const EVERY: Duration = Duration::from_secs(60);

pub(super) async fn run(app: &AppState, stop: &CancellationToken) -> anyhow::Result<()> {
    // At once as well: the key of ID tokens is not made while the service starts, because that takes too long.
    loop {
        if let Err(error) = app.keys.refresh().await {
            tracing::warn!(
                error = format!("{error:#}"),
                "the signing keys could not be read again"
            );
        }
        if !super::pause(stop, EVERY).await {
            return Ok(());
        }
    }
}
