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
use crate::query::{Filter, FilterOperator};

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
    /// Sketches of who was there on a day of a zone that is kept.
    Sketches,
}

/// The columns of events that are dimensions of the counts.
const COLUMNS: [&str; 6] = ["source", "medium", "campaign", "country", "device", "path"];
/// As many values of a dimension are counted by themselves; the others are counted together.
const MAX_VALUES: i64 = crate::tracking::MAX_VALUES as i64;

/// How many events there are in a period, from the counts.
pub(in crate::query) async fn count_events(
    tx: &mut TenantTx,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<i64, DbError> {
    Ok(query_scalar(
        "-- analytics.counts_15m.count\n\
         SELECT coalesce(sum(cnt), 0)::bigint FROM analytics.counts_15m WHERE dim = '' AND bucket >= $1 AND bucket < $2",
    )
    .bind(from)
    .bind(until)
    .fetch_one(tx.conn())
    .await?)
}

/// Whether the counts know what a filter chooses: a value that is counted together with others cannot be told from them.
pub(in crate::query) async fn is_countable(
    tx: &mut TenantTx,
    filter: &Filter,
) -> Result<bool, DbError> {
    Ok(query_scalar(
        "-- analytics.dimension_values.are_counted\n\
         SELECT (SELECT count(*) FROM analytics.dimension_values WHERE dim = $1) < $2 \
             OR NOT $3 AND NOT EXISTS ( \
                  SELECT FROM unnest($4::text[]) AS u (value) WHERE value <> '' AND NOT EXISTS ( \
                    SELECT FROM analytics.dimension_values AS k WHERE k.dim = $1 AND k.value = u.value))",
    )
    .bind(&filter.dimension)
    .bind(MAX_VALUES)
    .bind(filter.operator == FilterOperator::Contains)
    .bind(&filter.values)
    .fetch_one(tx.conn())
    .await?)
}

/// Whether a filter is one on a dimension of the counts.
pub(in crate::query) fn is_of_counts(filter: &Filter) -> bool {
    COLUMNS.contains(&filter.dimension.as_str())
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
        EventSource::Days | EventSource::Sketches => {
            let piece = piece_of_day("day", &read.window);
            group_columns(sql, part, piece, read, &key, &currency);
        }
        EventSource::Edge | EventSource::Quarters => {
            let piece = piece_of_instant("bucket", &read.window);
            group_columns(sql, part, piece, read, &key, &currency);
        }
        EventSource::Raw => {
            let piece = piece_of_instant("ts", &read.window);
            group_columns(sql, part, piece, read, &key, &currency);
        }
    }
    sums(sql, read, raw);
    if raw {
        sql.push("analytics.tracked_events WHERE ");
        between(sql, "ts", read.window.start(), read.window.end);
        names(sql, read);
    } else {
        counts(sql, read);
    }
    filtered(sql, read, &key);
    sql.push(GROUPED);
    if !raw {
        // What is without a value is what is left of all; nothing may be left.
        sql.push(" HAVING sum(cnt) <> 0");
    }
}

fn sums(sql: &mut Sql, read: &Read, raw: bool) {
    for (n, (_, leaf)) in read.leaves.iter().enumerate() {
        let sum = match (leaf.measure.name.as_str(), raw) {
            ("amount", true) => "sum(value_minor)",
            ("amount", false) => "sum(amount_minor)",
            ("actors", _) => "count(DISTINCT actor_id)",
            ("sessions", _) => "count(DISTINCT session_id)",
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

/// The counts of the question's dimension: those of each value, and what is left of all for the events without one.
fn counts(sql: &mut Sql, read: &Read) {
    let dimension = dimensions(read).first().copied().unwrap_or("");
    let time = if read.events == EventSource::Days {
        "day"
    } else {
        "bucket"
    };
    sql.push(format!(
        "(SELECT {time}, name, value, currency, cnt, amount_minor FROM "
    ));
    stored(sql, read, &[dimension]);
    if !dimension.is_empty() {
        sql.push(format!(
            " UNION ALL SELECT {time}, name, '', currency, CASE dim WHEN '' THEN cnt ELSE -cnt END, \
             CASE dim WHEN '' THEN amount_minor ELSE -amount_minor END FROM "
        ));
        stored(sql, read, &["", dimension]);
    }
    sql.push(") AS e WHERE true");
}

/// The stored counts of some dimensions.
fn stored(sql: &mut Sql, read: &Read, dimensions: &[&'static str]) {
    let window = &read.window;
    let whole_days = window.whole_days_until();
    if read.events == EventSource::Days {
        sql.push("analytics.counts_day WHERE zone = ");
        sql.push_bind(window.zone.name());
        sql.push(" AND dim = ANY (");
        sql.push_bind(dimensions.to_vec());
        sql.push(") AND ");
        between_days(sql, "day", window.span.from, whole_days);
    } else {
        let from = match read.events {
            EventSource::Edge => begins(whole_days, window.zone),
            _ => window.start(),
        };
        sql.push("analytics.counts_15m WHERE dim = ANY (");
        sql.push_bind(dimensions.to_vec());
        sql.push(") AND ");
        between(sql, "bucket", from, window.end);
    }
    names(sql, read);
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

/// Appends the `SELECT` of sketches.
pub(super) fn select_sketches(sql: &mut Sql, part: usize, read: &Read) {
    let key = |name: &str| match name {
        PLATFORM => format!("'{}'", read.dataset.key),
        own => own.to_owned(),
    };
    group_columns(
        sql,
        part,
        piece_of_day("day", &read.window),
        read,
        &key,
        "''",
    );
    let leaf = read.leaves[0].1;
    sql.push("]::numeric[] AS sums, array_agg(sketch) AS sketches FROM analytics.unique_sketches WHERE zone = ");
    sql.push_bind(read.window.zone.name());
    sql.push(" AND kind = ");
    sql.push_bind(if leaf.measure.name == "actors" {
        "actor"
    } else {
        "session"
    });
    let by_name = read.dimensions.iter().any(|name| name == "name")
        || read.filters.iter().any(|filter| filter.dimension == "name");
    match leaf.event {
        Some(event) => {
            sql.push(" AND name = ");
            sql.push_bind(event);
        }
        // The sketches of all names together have none.
        None if by_name => {
            sql.push(" AND name <> ''");
        }
        None => {
            sql.push(" AND name = ''");
        }
    }
    sql.push(" AND ");
    between_days(
        sql,
        "day",
        read.window.span.from,
        read.window.whole_days_until(),
    );
    filtered(sql, read, &key);
    sql.push(GROUPED);
}

/// The columns of the counts that the question is about.
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

/// Whether sketches know what the question is about: names, and nothing else.
pub(in crate::query) fn has_sketches(read: &Read) -> bool {
    let filters = read.filters.iter().map(|filter| filter.dimension.as_str());
    let mut asked = read.dimensions.iter().map(String::as_str).chain(filters);
    !read.window.cut && asked.all(|name| name == "name" || name == PLATFORM)
}
