//! Deletes sessions and refresh tokens some time after they ended.

use std::time::Duration;

use bz_tenant::DbError;
use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use crate::{app::AppState, sessions};

const EVERY: Duration = Duration::from_secs(60 * 60);
/// Between two batches, so that requests get their turn.
const BETWEEN_BATCHES: Duration = Duration::from_millis(200);
/// The most rows of each kind that one transaction deletes.
const BATCH: i32 = 1000;
/// How long ended sessions are kept, to be looked into.
const KEPT_FOR: TimeDelta = TimeDelta::days(7);

pub(super) async fn run(app: &AppState, stop: &CancellationToken) -> anyhow::Result<()> {
    // The first run has no hurry, and many replicas that start at once do not all do it.
    while super::pause(stop, EVERY).await {
        loop {
            match purge(app).await {
                Ok(deleted) if deleted < i64::from(BATCH) => break,
                Ok(_) if super::pause(stop, BETWEEN_BATCHES).await => {}
                Ok(_) => return Ok(()),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(
                        error,
                        "ended sessions could not be deleted; the next run tries again"
                    );
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Deletes one batch; answers how many rows went.
async fn purge(app: &AppState) -> Result<i64, DbError> {
    let before = app.core.sources.now() - KEPT_FOR;
    let mut tx = app.core.db.system().await?;
    let deleted = sessions::store::purge_ended(&mut tx, before, BATCH).await?;
    tx.commit().await?;
    if deleted > 0 {
        tracing::info!(
            sessions.deleted_rows = deleted,
            "deleted sessions and refresh tokens that have ended"
        );
    }
    Ok(deleted)
}
