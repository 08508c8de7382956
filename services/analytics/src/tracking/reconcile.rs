//! Comparing counts with events: an hour of a tenant a minute. A difference is an error in the log and is repaired.

use std::{sync::Mutex, time::Duration};

use bz_service::{Core, Job, Pace};
use bz_tenant::{DbError, TenantScope};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use sqlx::query_scalar;
use uuid::Uuid;

use super::{rebuild::rebuild, tenants};

/// How often an hour is looked at.
const EVERY: Duration = Duration::from_secs(60);
/// Hours are chosen among those of this many days: later ones are looked at more than once before they are old.
const DAYS: i64 = 30;

const NEXT: &str = "-- analytics.tenant_data.next\nSELECT * FROM analytics.next_tenant($1)";

/// The job that compares.
pub(crate) fn job(core: Core) -> Job {
    let pace = Pace {
        idle: EVERY,
        failed: EVERY,
    };
    let after = std::sync::Arc::new(Mutex::new(Uuid::nil()));
    Job::in_turns("reconcile-counts", pace, move |_| {
        let (core, after) = (core.clone(), std::sync::Arc::clone(&after));
        async move {
            let last = *after
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(tenant) = tenants::behind(&core, NEXT, last).await? {
                *after
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner) = tenant.as_uuid();
                let hours = (core.sources.rng.unit() * (DAYS * 24) as f64) as i64;
                let hour = core.sources.now() - TimeDelta::hours(hours);
                reconcile(&core, &TenantScope::new(tenant, None), hour).await?;
            }
            Ok(false)
        }
    })
}

/// Compares the counts of the hour that `instant` is in with its events, and makes those of the day again when they differ.
/// Answers whether they did.
///
/// # Errors
/// Any [`DbError`].
pub async fn reconcile(
    core: &Core,
    scope: &TenantScope,
    instant: DateTime<Utc>,
) -> Result<bool, DbError> {
    let hour = instant
        .duration_trunc(TimeDelta::hours(1))
        .unwrap_or(instant);
    let mut tx = core.db.read(scope).await?;
    let differ: i64 = query_scalar(
        "-- analytics.counts_15m.compare\n\
         SELECT count(*) FROM ( \
           SELECT name, coalesce(currency, '') AS currency, count(*)::bigint AS cnt, coalesce(sum(value_minor), 0)::bigint AS amount \
           FROM analytics.tracked_events WHERE ts >= $1 AND ts < $2 GROUP BY 1, 2 \
         ) AS e FULL JOIN ( \
           SELECT name, currency, sum(cnt)::bigint AS cnt, sum(amount_minor)::bigint AS amount \
           FROM analytics.counts_15m WHERE dim = '' AND bucket >= $1 AND bucket < $2 GROUP BY 1, 2 \
         ) AS r USING (name, currency) \
         WHERE (e.cnt, e.amount) IS DISTINCT FROM (r.cnt, r.amount)",
    )
    .bind(hour)
    .bind(hour + TimeDelta::hours(1))
    .fetch_one(tx.conn())
    .await?;
    drop(tx);
    if differ == 0 {
        return Ok(false);
    }
    tracing::error!(
        tenant.id = %scope.tenant(), hour = %hour, names = differ,
        "counts differ from the events; the day is counted again"
    );
    rebuild(&core.db, scope, [hour.date_naive()]).await?;
    Ok(true)
}
