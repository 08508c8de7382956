//! The partitions of the events, a month each: made before they are needed, dropped when their months are old. The jobs do
//! it through two reviewed functions; nobody has a right on a partition.

use std::time::Duration;

use bz_service::{Core, Job, retention};
use bz_tenant::DbError;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::query_scalar;

use super::{event::MAX_AGE, fold_all};

/// Months from that of the oldest event that is taken to the third one ahead.
const MONTHS: i32 = 18;
/// How often new months are made and old ones dropped.
const EVERY: Duration = Duration::from_secs(6 * 60 * 60);
/// How long counts by 15 minutes stay: a month longer than the events, so that the local days at the edge are whole.
const QUARTERS_KEPT: TimeDelta = TimeDelta::days(396 + 32);
/// How long counts by day stay: five years.
const DAYS_KEPT: TimeDelta = TimeDelta::days(5 * 366);
/// How long orders to erase and to count again stay after they were done.
const ORDERS_KEPT: TimeDelta = TimeDelta::days(90);

/// Makes the partitions that events may need from now on. Called before the service serves.
pub(crate) async fn make(core: &Core) -> Result<(), DbError> {
    let first = (core.sources.now() - MAX_AGE).date_naive();
    let mut tx = core.db.system().await?;
    let made: i32 = query_scalar(
        "-- analytics.tracked_events.make_partitions\nSELECT analytics.make_event_partitions($1, $2)",
    )
    .bind(first)
    .bind(MONTHS)
    .fetch_one(tx.conn())
    .await?;
    tx.commit().await?;
    if made > 0 {
        tracing::info!(partitions = made, "made partitions for events");
    }
    Ok(())
}

/// Drops the months that are older than any event that is taken.
async fn drop_old(core: &Core) -> Result<(), DbError> {
    let mut tx = core.db.system().await?;
    let dropped: i32 = query_scalar(
        "-- analytics.tracked_events.drop_partitions\nSELECT analytics.drop_event_partitions($1)",
    )
    .bind(oldest_kept(core.sources.now()))
    .fetch_one(tx.conn())
    .await?;
    tx.commit().await?;
    if dropped > 0 {
        tracing::info!(partitions = dropped, "dropped partitions of old events");
    }
    Ok(())
}

/// Before this instant nothing is read any more: events, and the counts by 15 minutes that are made from them.
fn oldest_kept(now: DateTime<Utc>) -> DateTime<Utc> {
    now - MAX_AGE
}

/// The job that makes and drops.
pub(crate) fn job(core: Core) -> Job {
    Job::new("event-partitions", async move |stop| {
        while stop
            .run_until_cancelled(tokio::time::sleep(EVERY))
            .await
            .is_some()
        {
            for done in [make(&core).await, drop_old(&core).await] {
                if let Err(error) = done {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(
                        error,
                        "partitions of events were not tended to; the next run tries again"
                    );
                }
            }
        }
        Ok(())
    })
}

/// The job that deletes old counts.
pub(crate) fn rollups_job(core: Core) -> Job {
    retention::job("retention-rollups", move || purge(core.clone()))
}

async fn purge(core: Core) -> Result<i64, DbError> {
    let now = core.sources.now();
    let mut tx = core.db.system().await?;
    let deleted =
        query_scalar("-- analytics.rollups.purge\nSELECT analytics.purge_rollups($1, $2, $3, $4)")
            .bind(now - QUARTERS_KEPT)
            .bind((now - DAYS_KEPT).date_naive())
            .bind(now - ORDERS_KEPT)
            .bind(retention::BATCH)
            .fetch_one(tx.conn())
            .await?;
    tx.commit().await?;
    Ok(deleted)
}

/// What the jobs do now and then, now.
///
/// # Errors
/// Any [`DbError`].
pub async fn tend(core: &Core) -> Result<(), DbError> {
    make(core).await?;
    fold_all(core).await?;
    drop_old(core).await?;
    while purge(core.clone()).await? >= i64::from(retention::BATCH) {}
    Ok(())
}
