//! The job that does what was ordered.

use std::time::Duration;

use bz_service::{Core, Job, Pace};
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::{Days, NaiveDate, TimeDelta};
use chrono_tz::Tz;
use sqlx::{query, query_as, query_scalar};
use tokio_util::sync::CancellationToken;

use super::{Row, Task, any};
use crate::tracking::{
    event::MAX_AGE,
    rebuild,
    recount::{Span, bounds},
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
    Job::in_turns("event-orders", pace, move |stop| {
        let core = core.clone();
        async move { Ok(next(&core, &stop).await?) }
    })
}

/// Works on one order that is due; answers whether there was one.
async fn next(core: &Core, stop: &CancellationToken) -> Result<bool, DbError> {
    let now = core.sources.now();
    let due = query_as(
        "-- analytics.event_erasures.due\nSELECT tenant_id, id FROM analytics.event_erasure_due($1, $2)",
    );
    let due = core.db.due(due.bind(now).bind(now + LEASE)).await?;
    let Some((tenant, id)) = due.into_iter().next() else {
        return Ok(false);
    };
    let scope = TenantScope::new(tenant, None);
    let mut tx = core.db.read(&scope).await?;
    let row = any(&mut tx, id).await?;
    drop(tx);
    if let Some(row) = row
        && let Some(task) = row.task()
    {
        work(core, &scope, &row, task, stop).await?;
    }
    Ok(true)
}

/// Goes down from the newest day that an event may have, or from where somebody stopped.
async fn work(
    core: &Core,
    scope: &TenantScope,
    row: &Row,
    task: Task<'_>,
    stop: &CancellationToken,
) -> Result<(), DbError> {
    let mut before = row.reached.unwrap_or(row.newest() + Days::new(1));
    while let Some(day) = next_day(core, scope, task, before).await? {
        if stop.is_cancelled() {
            return Ok(());
        }
        // Whatever is right already keeps no sender waiting.
        let is_right =
            matches!(task, Task::Rebuild) && rebuild::is_right(&core.db, scope, day).await?;
        let mut tx = core.db.tenant(scope).await?;
        let deleted = match task {
            Task::Erase(actor) => erase_day(&mut tx, actor, day).await?,
            Task::Rebuild => {
                if !is_right {
                    rebuild::day(&mut tx, day).await?;
                }
                0
            }
        };
        query(
            "-- analytics.event_erasures.reached\n\
             UPDATE analytics.event_erasures SET reached = $2, deleted = deleted + $3, due_at = $4 WHERE id = $1",
        )
        .bind(row.id)
        .bind(day)
        .bind(deleted)
        .bind(core.sources.now() + LEASE)
        .execute(tx.conn())
        .await?;
        tx.commit().await?;
        before = day;
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

/// The next day behind `before` to look at: when erasing the one before it, when counting again the newest before it that has
/// events or counts. None behind the oldest one that can be counted.
async fn next_day(
    core: &Core,
    scope: &TenantScope,
    task: Task<'_>,
    before: NaiveDate,
) -> Result<Option<NaiveDate>, DbError> {
    let oldest = (core.sources.now() - MAX_AGE).date_naive();
    let mut day = before - Days::new(1);
    match task {
        // Older events go with their month.
        Task::Erase(_) => Ok(Some(day).filter(|day| *day >= oldest - Days::new(1))),
        // Of the first day, and of those before it, there may be counts whose events are gone.
        Task::Rebuild => {
            let mut tx = core.db.read(scope).await?;
            while day > oldest {
                if is_anything_of(&mut tx, day).await? {
                    return Ok(Some(day));
                }
                day = day - Days::new(1);
            }
            Ok(None)
        }
    }
}

/// Whether there are events or counts of a day.
async fn is_anything_of(tx: &mut TenantTx, day: NaiveDate) -> Result<bool, DbError> {
    let (from, until) = bounds(day, Tz::UTC);
    Ok(query_scalar(
        "-- analytics.tracked_events.is_anything_of_day\n\
         SELECT EXISTS (SELECT FROM analytics.tracked_events WHERE ts >= $1 AND ts < $2) \
             OR (SELECT count(*) FROM analytics.counts_15m WHERE dim = '' AND bucket >= $1 AND bucket < $2) > 0 \
             OR (SELECT count(*) FROM analytics.counts_day WHERE dim = '' AND day = $3) > 0",
    )
    .bind(from)
    .bind(until)
    .bind(day)
    .fetch_one(tx.conn())
    .await?)
}

/// Deletes the actor's events of a UTC day, and counts the day again if there were any.
async fn erase_day(tx: &mut TenantTx, actor: &str, day: NaiveDate) -> Result<i64, DbError> {
    let (from, until) = bounds(day, Tz::UTC);
    let there: bool = query_scalar(
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
    let known = rebuild::lock(tx).await?;
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
    rebuild::span(tx, &known, &Span::of_day(day, &known.zones)).await?;
    Ok(i64::try_from(deleted).unwrap_or(i64::MAX))
}
