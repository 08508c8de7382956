//! SQL of funnels. Rows come in the order of who and when, and are counted as they come: nothing is kept of one who is done.

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::TryStreamExt;
use sqlx::{Postgres, QueryBuilder};

use super::{
    FunnelBy, FunnelQuery, Outcome, StageMode,
    walk::{Walk, add},
};
use crate::analyses::events::push_filter;

/// Columns of deals that can be filtered by; other names are looked for among a deal's dimensions.
const COLUMNS: [&str; 5] = ["pipeline", "stage", "owner", "source", "outcome"];

/// Whether a text can be a dimension of deals.
pub(super) fn is_dimension(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (1..=60).contains(&name.len()) && name.bytes().all(plain)
}

/// How many people or visits came to each step.
pub(super) async fn events(
    tx: &mut TenantTx,
    query: &FunnelQuery,
    (begins, ends): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<i64>, DbError> {
    let window = TimeDelta::hours(query.window_hours.into());
    let until = match query.by {
        FunnelBy::Cohort => ends + window,
        FunnelBy::Period => ends,
    };
    let who = query.count_by.column();
    let mut sql = QueryBuilder::<Postgres>::new("-- analytics.tracked_events.funnel\n");
    sql.push(format!(
        "SELECT who, ts, steps FROM (SELECT {who} AS who, ts, 0"
    ));
    for (n, step) in query.steps.iter().enumerate() {
        if let Some(events) = &step.events {
            sql.push(" + CASE WHEN ");
            events.push(&mut sql);
            sql.push(format!(" THEN {} ELSE 0 END", 1 << n));
        }
    }
    sql.push(format!(
        " AS steps FROM analytics.tracked_events WHERE {who} IS NOT NULL AND ts >= "
    ));
    sql.push_bind(begins).push(" AND ts < ").push_bind(until);
    sql.push(") AS taken WHERE steps > 0 ORDER BY who, ts, steps");
    let counts = vec![0; query.steps.len()];
    walked(tx, sql, counts, Some(window), |at| at < ends).await
}

/// How many deals came to each stage.
pub(super) async fn deals(
    tx: &mut TenantTx,
    query: &FunnelQuery,
    (begins, ends): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<i64>, DbError> {
    let mut sql = QueryBuilder::<Postgres>::new("-- analytics.deals.funnel\n");
    sql.push("SELECT source || ' ' || deal_id AS who, moment, steps FROM (SELECT d.source, d.deal_id, t.moment, 0");
    for (n, step) in query.steps.iter().enumerate() {
        match (&step.stage, step.outcome) {
            (Some(stage), _) => sql.push(" + CASE WHEN t.stage = ").push_bind(stage),
            (None, Some(Outcome::Lost)) => sql.push(" + CASE WHEN t.outcome = 'lost'"),
            (None, _) => sql.push(" + CASE WHEN t.outcome = 'won'"),
        };
        sql.push(format!(" THEN {} ELSE 0 END", 1 << n));
    }
    sql.push(
        " AS steps FROM analytics.deals d JOIN (SELECT source, deal_id, stage, NULL AS outcome, entered_at AS moment \
         FROM analytics.deal_stages UNION ALL SELECT source, deal_id, NULL, outcome, closed_at FROM analytics.deals \
         WHERE closed_at IS NOT NULL) t USING (source, deal_id) WHERE ",
    );
    let column = match query.by {
        FunnelBy::Cohort => "d.created_at",
        FunnelBy::Period => "t.moment",
    };
    sql.push(column).push(" >= ").push_bind(begins);
    sql.push(format!(" AND {column} < ")).push_bind(ends);
    for filter in &query.filters {
        sql.push(" AND ");
        push_filter(&mut sql, &dimension(&filter.dimension), filter);
    }
    sql.push(") AS taken WHERE steps > 0 ORDER BY source, deal_id, moment, steps");
    let counts = vec![0; query.steps.len()];
    match query.stages {
        StageMode::All => walked(tx, sql, counts, None, |_| true).await,
        StageMode::Any => visited(tx, sql, counts).await,
    }
}

fn dimension(name: &str) -> String {
    if COLUMNS.contains(&name) {
        return format!("d.{name}");
    }
    let plain = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_';
    let name: String = name.chars().filter(plain).collect();
    format!("d.dims->>'{name}'")
}

/// Counts those who went through the steps in order.
async fn walked(
    tx: &mut TenantTx,
    mut sql: QueryBuilder<'_, Postgres>,
    mut counts: Vec<i64>,
    window: Option<TimeDelta>,
    begins: impl Fn(DateTime<Utc>) -> bool,
) -> Result<Vec<i64>, DbError> {
    let steps = counts.len();
    let mut rows = sql
        .build_query_as::<(String, DateTime<Utc>, i32)>()
        .fetch(tx.conn());
    let mut going: Option<(String, Walk)> = None;
    while let Some((who, at, taken)) = rows.try_next().await? {
        let same = going.as_ref().is_some_and(|(current, _)| *current == who);
        if !same && let Some((_, done)) = going.replace((who, Walk::new(steps, window))) {
            add(&mut counts, done.taken());
        }
        if let Some((_, walk)) = &mut going {
            walk.take(at, taken.unsigned_abs(), begins(at));
        }
    }
    if let Some((_, done)) = going {
        add(&mut counts, done.taken());
    }
    Ok(counts)
}

/// Counts those who were at each step, in whatever order.
async fn visited(
    tx: &mut TenantTx,
    mut sql: QueryBuilder<'_, Postgres>,
    mut counts: Vec<i64>,
) -> Result<Vec<i64>, DbError> {
    let mut rows = sql
        .build_query_as::<(String, DateTime<Utc>, i32)>()
        .fetch(tx.conn());
    let mut current = (String::new(), 0_u32);
    while let Some((who, _, taken)) = rows.try_next().await? {
        if who != current.0 {
            mark(&mut counts, current.1);
            current = (who, 0);
        }
        current.1 |= taken.unsigned_abs();
    }
    mark(&mut counts, current.1);
    Ok(counts)
}

fn mark(counts: &mut [i64], steps: u32) {
    for (n, count) in counts.iter_mut().enumerate() {
        *count += i64::from(steps >> n & 1);
    }
}
