//! SQL of the dashboards.

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query_as};

/// How often something happened on a day.
#[derive(FromRow)]
pub(super) struct DayCount {
    /// The event's name; empty for all names that were not asked for.
    pub(super) name: String,
    /// The place of the day in the beginnings, from 0.
    pub(super) day: i32,
    pub(super) count: i64,
}

/// Counts by day from the rollup, of the `names` one by one and of all others together. A day goes from one of the
/// `beginnings` to the next. They are given as instants so that one time zone database, ours, says when days begin.
pub(super) async fn count_by_day(
    tx: &mut TenantTx,
    beginnings: &[DateTime<Utc>],
    names: &[&str],
) -> Result<Vec<DayCount>, DbError> {
    let (Some(from), Some(until)) = (beginnings.first(), beginnings.last()) else {
        return Ok(Vec::new());
    };
    Ok(query_as(
        "-- analytics.counts_15m.count_by_day\n\
         SELECT CASE WHEN name = ANY ($4) THEN name ELSE '' END AS name, width_bucket(bucket, $3) - 1 AS day, \
                sum(cnt)::bigint AS count \
         FROM analytics.counts_15m WHERE dim = '' AND bucket >= $1 AND bucket < $2 GROUP BY 1, 2",
    )
    .bind(from)
    .bind(until)
    .bind(beginnings)
    .bind(names)
    .fetch_all(tx.conn())
    .await?)
}
