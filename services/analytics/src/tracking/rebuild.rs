//! Making the counts of a day again from its events: after something was erased, when a comparison finds a difference, for
//! a zone that is new. It has the tenant's lock, so that what comes in meanwhile is counted after it and once.

use std::sync::LazyLock;

use bz_tenant::{Db, DbError, TenantScope, TenantTx};
use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use sqlx::{query, query_scalar};

use super::{
    fold,
    sums::{bounded, sums},
    uniques,
};
use crate::query::begins;

/// Makes the counts of these UTC days, and of the local days that overlap them, again from the events. Each day is a
/// transaction of its own; senders of the tenant wait for one, and others not at all.
///
/// # Errors
/// Any [`DbError`]; the days before it are done.
pub async fn rebuild(
    db: &Db,
    scope: &TenantScope,
    days: impl IntoIterator<Item = NaiveDate>,
) -> Result<(), DbError> {
    for day in days {
        let mut tx = db.tenant(scope).await?;
        self::day(&mut tx, day).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// The counts of a UTC day, and of the local days that overlap it, in the transaction at hand.
pub(super) async fn day(tx: &mut TenantTx, day: NaiveDate) -> Result<(), DbError> {
    let zones = lock(tx).await?;
    utc_day(tx, &zones, day).await
}

/// Locks the tenant's row, counts a rebuild and a version, and answers the zones whose days are kept. What batches added is
/// in the rollups afterwards: none of it comes to counts that are made from the events.
pub(super) async fn lock(tx: &mut TenantTx) -> Result<Vec<Tz>, DbError> {
    let zones: Option<Vec<String>> = query_scalar(
        "-- analytics.tenant_data.lock_to_rebuild\n\
         UPDATE analytics.tenant_data SET version = version + 1, rebuilds = rebuilds + 1 RETURNING zones || wanted_zones",
    )
    .fetch_optional(tx.conn())
    .await?;
    fold::fold(tx, i64::MAX).await?;
    // Only names that were parsed are stored.
    let zones = zones.unwrap_or_default();
    Ok(zones.iter().filter_map(|zone| zone.parse().ok()).collect())
}

/// The counts of a UTC day, and of the local days that overlap it.
pub(super) async fn utc_day(
    tx: &mut TenantTx,
    zones: &[Tz],
    day: NaiveDate,
) -> Result<(), DbError> {
    let (from, until) = bounds(day, Tz::UTC);
    quarters(tx, from, until).await?;
    for zone in zones {
        let first = from.with_timezone(zone).date_naive();
        let last = (until - chrono::TimeDelta::microseconds(1)).with_timezone(zone);
        let overlapping = first
            .iter_days()
            .take_while(|day| *day <= last.date_naive());
        for local in overlapping {
            local_day(tx, *zone, local).await?;
        }
    }
    Ok(())
}

/// The instants between which a local day is.
pub(super) fn bounds(day: NaiveDate, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
    (begins(day, zone), begins(day + Days::new(1), zone))
}

static QUARTERS: LazyLock<String> = LazyLock::new(|| {
    let of_the_time =
        "(SELECT * FROM analytics.tracked_events WHERE ts >= $1 AND ts < $2) AS of_the_time";
    let registered =
        "LEFT JOIN analytics.dimension_values AS k ON k.dim = s.dim AND k.value = s.value";
    format!(
        "-- analytics.rollup_15m.rebuild\n\
         WITH {}, {} \
         INSERT INTO analytics.rollup_15m (dim, name, bucket, value, currency, cnt, amount_minor) \
         SELECT dim, name, bucket, value, currency, cnt, amount_minor FROM agg ORDER BY dim, name, bucket, value, currency",
        sums("sums", of_the_time),
        bounded(registered, "s.dim <> '' AND k.value IS NULL"),
    )
});

/// In the order of their key, which is also that of reading.
async fn quarters(
    tx: &mut TenantTx,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- analytics.rollup_15m.clear\n\
         DELETE FROM analytics.rollup_15m WHERE bucket >= $1 AND bucket < $2",
    )
    .bind(from)
    .bind(until)
    .execute(tx.conn())
    .await?;
    query(&QUARTERS)
        .bind(from)
        .bind(until)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// The counts of a local day from those by quarters of an hour, and its sketches from the events.
pub(super) async fn local_day(tx: &mut TenantTx, zone: Tz, day: NaiveDate) -> Result<(), DbError> {
    let (from, until) = bounds(day, zone);
    query("-- analytics.rollup_day.clear\nDELETE FROM analytics.rollup_day WHERE zone = $1 AND day = $2")
        .bind(zone.name())
        .bind(day)
        .execute(tx.conn())
        .await?;
    query(
        "-- analytics.rollup_day.rebuild\n\
         INSERT INTO analytics.rollup_day (zone, dim, name, day, value, currency, cnt, amount_minor) \
         SELECT $1, dim, name, $2, value, currency, sum(cnt), sum(amount_minor) FROM analytics.rollup_15m \
         WHERE bucket >= $3 AND bucket < $4 GROUP BY dim, name, value, currency ORDER BY dim, name, value, currency",
    )
    .bind(zone.name())
    .bind(day)
    .bind(from)
    .bind(until)
    .execute(tx.conn())
    .await?;
    uniques::rebuild(tx, zone.name(), day, (from, until)).await
}
