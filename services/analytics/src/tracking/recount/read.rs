//! Reading events, and what is stored of them.

use std::collections::HashMap;

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use futures_util::TryStreamExt;
use sqlx::{Row, postgres::PgRow, query, query_as};

use super::{
    Event, Recount,
    span::{ZoneDays, quarter_of},
    tally::{Counts, Key, Sum, Texts},
};
use crate::tracking::uniques::SketchId;

type Piece = (DateTime<Utc>, DateTime<Utc>);

/// Texts are borrowed from the row: there are ten in an event.
fn event(row: &PgRow) -> Result<Event<'_>, sqlx::Error> {
    Ok(Event {
        name: row.try_get(0)?,
        quarter: quarter_of(row.try_get(1)?),
        people: [("actor", row.try_get(2)?), ("session", row.try_get(3)?)],
        dimensions: [
            row.try_get(4)?,
            row.try_get(5)?,
            row.try_get(6)?,
            row.try_get(7)?,
            row.try_get(8)?,
            row.try_get(9)?,
        ],
        amount_minor: row.try_get::<Option<i64>, _>(10)?.unwrap_or(0),
        currency: row.try_get::<Option<&str>, _>(11)?.unwrap_or(""),
    })
}

/// Counts the events of a piece of time.
pub(super) async fn events(
    tx: &mut TenantTx,
    (from, until): Piece,
    recount: &mut Recount,
) -> Result<(), DbError> {
    let mut rows = query(
        "-- analytics.tracked_events.of_piece\n\
         SELECT name, ts, actor_id, session_id, source, medium, campaign, country, device, path, value_minor, currency \
         FROM analytics.tracked_events WHERE ts >= $1 AND ts < $2",
    )
    .bind(from)
    .bind(until)
    .fetch(tx.conn());
    while let Some(row) = rows.try_next().await? {
        recount.count(&event(&row)?)?;
    }
    Ok(())
}

/// A count that is stored, its time in column 2.
fn stored(row: &PgRow, time: i32, texts: &mut Texts) -> Result<(Key, Sum), sqlx::Error> {
    let key = Key {
        dim: texts.number(row.try_get(0)?),
        name: texts.number(row.try_get(1)?),
        time,
        value: texts.number(row.try_get(3)?),
        currency: texts.number(row.try_get(4)?),
    };
    let sum = Sum {
        cnt: row.try_get(5)?,
        amount_minor: row.try_get(6)?,
    };
    Ok((key, sum))
}

/// Sets what is stored by quarter of an hour beside what was counted.
pub(super) async fn quarters(
    tx: &mut TenantTx,
    (from, until): Piece,
    recount: &mut Recount,
) -> Result<(), DbError> {
    let mut rows = query(
        "-- analytics.counts_15m.of_piece\n\
         SELECT dim, name, bucket, value, currency, cnt, amount_minor FROM analytics.counts_15m WHERE bucket >= $1 AND bucket < $2",
    )
    .bind(from)
    .bind(until)
    .fetch(tx.conn());
    while let Some(row) = rows.try_next().await? {
        let quarter = quarter_of(row.try_get(2)?);
        let (key, sum) = stored(&row, quarter, &mut recount.texts)?;
        recount.quarters.is_stored(key, sum);
    }
    Ok(())
}

/// Sets what is stored by local day of a zone beside what was counted.
pub(super) async fn days(
    tx: &mut TenantTx,
    days: ZoneDays,
    texts: &mut Texts,
    counts: &mut Counts,
) -> Result<(), DbError> {
    let mut rows = query(
        "-- analytics.counts_day.of_days\n\
         SELECT dim, name, day, value, currency, cnt, amount_minor FROM analytics.counts_day \
         WHERE zone = $1 AND day >= $2 AND day <= $3",
    )
    .bind(days.zone.name())
    .bind(days.first)
    .bind(days.last)
    .fetch(tx.conn());
    while let Some(row) = rows.try_next().await? {
        let day: NaiveDate = row.try_get(2)?;
        let (key, sum) = stored(&row, day.num_days_from_ce(), texts)?;
        counts.is_stored(key, sum);
    }
    Ok(())
}

/// The sketches that are stored of these days.
pub(super) async fn sketches(
    tx: &mut TenantTx,
    zones: &[ZoneDays],
) -> Result<HashMap<SketchId, Vec<u8>>, DbError> {
    let mut found = HashMap::new();
    for days in zones {
        let rows: Vec<(String, String, NaiveDate, Vec<u8>)> = query_as(
            "-- analytics.unique_sketches.of_days\n\
             SELECT kind, name, day, sketch FROM analytics.unique_sketches WHERE zone = $1 AND day >= $2 AND day <= $3",
        )
        .bind(days.zone.name())
        .bind(days.first)
        .bind(days.last)
        .fetch_all(tx.conn())
        .await?;
        found.extend(rows.into_iter().map(|(kind, name, day, sketch)| {
            (SketchId::new(days.zone, &kind, &name, day), sketch)
        }));
    }
    Ok(found)
}
