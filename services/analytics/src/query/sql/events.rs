//! Counting events: by day where the days of the zone are kept, by quarter of an hour where they are not and where a
//! period ends within a day, and one by one where two dimensions meet.

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::query_scalar;

use super::{
    GROUPED, Read, Sql, between, between_days, filtered, group_columns, piece_of_day,
    piece_of_instant,
};
use crate::catalogue::{CURRENCY, PLATFORM};
use crate::query::calendar::begins;

/// Where events are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::query) enum EventSource {
    /// Whole days of a zone that is kept.
    Days,
    /// The part of a day that a cut period ends with.
    Edge,
    /// Quarters of an hour.
    Quarters,
    /// The events themselves.
    Raw,
}

/// The columns of events that are dimensions of the counts.
pub(in crate::query) const COLUMNS: [&str; 6] =
    ["source", "medium", "campaign", "country", "device", "path"];

/// How many events there are in a period, from the counts.
pub(in crate::query) async fn count_events(
    tx: &mut TenantTx,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<i64, DbError> {
    Ok(query_scalar(
        "-- analytics.rollup_15m.count\n\
         SELECT coalesce(sum(cnt), 0)::bigint FROM analytics.rollup_15m WHERE dim = '' AND bucket >= $1 AND bucket < $2",
    )
    .bind(from)
    .bind(until)
    .fetch_one(tx.conn())
    .await?)
}

/// Appends the `SELECT`.
pub(super) fn select(sql: &mut Sql, part: usize, read: &Read) {
    let raw = read.events == EventSource::Raw;
    let key = |name: &str| match name {
        PLATFORM => format!("'{}'", read.dataset.key),
        CURRENCY if raw => "coalesce(currency, '')".to_owned(),
        CURRENCY => "currency".to_owned(),
        "name" => "name".to_owned(),
        own if raw => format!("coalesce({own}, '')"),
        _ => "value".to_owned(),
    };
    let currency = key(CURRENCY);
    match read.events {
        EventSource::Days => {
            group_columns(
                sql,
                part,
                piece_of_day("day", &read.window),
                read,
                &key,
                &currency,
            );
        }
        EventSource::Edge | EventSource::Quarters => {
            let piece = piece_of_instant("bucket", &read.window);
            group_columns(sql, part, piece, read, &key, &currency);
        }
        EventSource::Raw => {
            group_columns(
                sql,
                part,
                piece_of_instant("ts", &read.window),
                read,
                &key,
                &currency,
            );
        }
    }
    sums(sql, read, raw);
    rows(sql, read);
    names(sql, read);
    filtered(sql, read, &key);
    sql.push(GROUPED);
}

fn sums(sql: &mut Sql, read: &Read, raw: bool) {
    for (n, (_, leaf)) in read.leaves.iter().enumerate() {
        let sum = match (leaf.measure.name.as_str(), raw) {
            ("amount", true) => "sum(value_minor)",
            ("amount", false) => "sum(amount_minor)",
            (_, true) => "count(*)",
            (_, false) => "sum(cnt)",
        };
        sql.push(if n == 0 { "" } else { ", " });
        sql.push(sum);
        if let Some(event) = leaf.event {
            sql.push(" FILTER (WHERE name = ");
            sql.push_bind(event);
            sql.push(")");
        }
    }
    sql.push("]::numeric[] AS sums FROM ");
}

fn rows(sql: &mut Sql, read: &Read) {
    let window = &read.window;
    let whole_days = window.whole_days_until();
    match read.events {
        EventSource::Days => {
            sql.push("analytics.rollup_day WHERE zone = ");
            sql.push_bind(window.zone.name());
            sql.push(" AND dim = ");
            sql.push_bind(dimension(read));
            sql.push(" AND ");
            between_days(sql, "day", window.span.from, whole_days);
        }
        EventSource::Edge | EventSource::Quarters => {
            let from = match read.events {
                EventSource::Edge => begins(whole_days, window.zone),
                _ => window.start(),
            };
            sql.push("analytics.rollup_15m WHERE dim = ");
            sql.push_bind(dimension(read));
            sql.push(" AND ");
            between(sql, "bucket", from, window.end);
        }
        EventSource::Raw => {
            sql.push("analytics.tracked_events WHERE ");
            between(sql, "ts", window.start(), window.end);
        }
    }
}

/// Only the events that are asked for, when all of them are named: the names come before the days in the key.
fn names(sql: &mut Sql, read: &Read) {
    let named: Option<Vec<&'static str>> = read.leaves.iter().map(|(_, leaf)| leaf.event).collect();
    if let Some(names) = named {
        sql.push(" AND name = ANY (");
        sql.push_bind(names);
        sql.push(")");
    }
}

/// The dimension whose counts are read; none when the question has none.
fn dimension(read: &Read) -> &'static str {
    dimensions(read).first().copied().unwrap_or("")
}

/// The columns that the question is about.
pub(in crate::query) fn dimensions(read: &Read) -> Vec<&'static str> {
    let filters = read.filters.iter().map(|filter| filter.dimension.as_str());
    let asked: Vec<&str> = read
        .dimensions
        .iter()
        .map(String::as_str)
        .chain(filters)
        .collect();
    COLUMNS
        .into_iter()
        .filter(|column| asked.contains(column))
        .collect()
}
