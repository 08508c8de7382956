//! The job that does what was ordered.

use std::time::Duration;

use bz_kernel::TenantId;
use bz_service::{Core, Job, Pace};
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::{Days, NaiveDate, TimeDelta};
use chrono_tz::Tz;
use sqlx::{query, query_as};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Row, find};
use crate::tracking::{
    event::{MAX_AGE, MAX_AHEAD},
    rebuild,
};

/// How soon an order is noticed.
const IDLE: Duration = Duration::from_secs(1);
const FAILED: Duration = Duration::from_secs(10);
/// How long nobody else takes an order that nothing is heard of.
const LEASE: TimeDelta = TimeDelta::minutes(2);

/// The job.
pub(crate) fn job(core: Core) -> Job {
    let pace = Pace {
        idle: IDLE,
        failed: FAILED,
    };
    Job::in_turns("erase-events", pace, move |stop| {
        let core = core.clone();
        async move { Ok(next(&core, &stop).await?) }
    })
}

/// Works on one order that is due; answers whether there was one.
async fn next(core: &Core, stop: &CancellationToken) -> Result<bool, DbError> {
    let now = core.sources.now();
    let mut tx = core.db.system().await?;
    let due: Option<(Uuid, Uuid)> =
        query_as("-- analytics.event_erasures.due\nSELECT tenant_id, id FROM analytics.event_erasure_due($1, $2)")
            .bind(now)
            .bind(now + LEASE)
            .fetch_optional(tx.conn())
            .await?;
    tx.commit().await?;
    let Some((tenant, id)) = due else {
        return Ok(false);
    };
    #[expect(clippy::disallowed_methods, reason = "the tenant of a row of ours")]
    let scope = TenantScope::new(TenantId::trusted(tenant), None);
    let mut tx = core.db.read(&scope).await?;
    let row = find(&mut tx, id).await?;
    drop(tx);
    if let Some(row) = row {
        work(core, &scope, &row, stop).await?;
    }
    Ok(true)
}

/// Goes down from the newest day that an event may have, or from where somebody stopped.
async fn work(
    core: &Core,
    scope: &TenantScope,
    row: &Row,
    stop: &CancellationToken,
) -> Result<(), DbError> {
    let Some(actor) = &row.actor_id else {
        return Ok(());
    };
    let newest = (row.created_at + MAX_AHEAD).date_naive();
    // Older events go with their month.
    let oldest = (row.created_at - MAX_AGE).date_naive() - Days::new(1);
    let mut day = row.reached.map_or(newest, |reached| reached - Days::new(1));
    while day >= oldest {
        if stop.is_cancelled() {
            return Ok(());
        }
        let mut tx = core.db.tenant(scope).await?;
        let deleted = erase_day(&mut tx, actor, day).await?;
        let due = core.sources.now() + LEASE;
        query(
            "-- analytics.event_erasures.reached\n\
             UPDATE analytics.event_erasures SET reached = $2, deleted = deleted + $3, due_at = $4 WHERE id = $1",
        )
        .bind(row.id)
        .bind(day)
        .bind(deleted)
        .bind(due)
        .execute(tx.conn())
        .await?;
        tx.commit().await?;
        day = day - Days::new(1);
    }
    let mut tx = core.db.tenant(scope).await?;
    query(
        "-- analytics.event_erasures.done\n\
         UPDATE analytics.event_erasures SET status = 'succeeded', actor_id = NULL, finished_at = $2 WHERE id = $1",
    )
    .bind(row.id)
    .bind(core.sources.now())
    .execute(tx.conn())
    .await?;
    tx.commit().await
}

/// Deletes the actor's events of a UTC day, and counts the day again if there were any.
async fn erase_day(tx: &mut TenantTx, actor: &str, day: NaiveDate) -> Result<i64, DbError> {
    let (from, until) = rebuild::bounds(day, Tz::UTC);
    let there: bool = sqlx::query_scalar(
        "-- analytics.tracked_events.are_of_actor\n\
         SELECT EXISTS (SELECT FROM analytics.tracked_events WHERE ts >= $1 AND ts < $2 AND actor_id = $3)",
    )
    .bind(from)
    .bind(until)
    .bind(actor)
    .fetch_one(tx.conn())
    .await?;
    if !there {
        return Ok(0);
    }
    let zones = rebuild::lock(tx).await?;
    let deleted = query(
        "-- analytics.tracked_events.erase_actor\n\
         DELETE FROM analytics.tracked_events WHERE ts >= $1 AND ts < $2 AND actor_id = $3",
    )
    .bind(from)
    .bind(until)
    .bind(actor)
    .execute(tx.conn())
    .await?
    .rows_affected();
    rebuild::utc_day(tx, &zones, day).await?;
    Ok(i64::try_from(deleted).unwrap_or(i64::MAX))
}
