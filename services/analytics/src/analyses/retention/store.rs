//! SQL of retention.

use std::collections::HashMap;

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{Postgres, QueryBuilder};

use super::RetentionQuery;
use crate::analyses::events::EventMatch;

/// How many of each cohort (by its place) came back how many periods later. Period 0 is who came.
pub(super) async fn counts(
    tx: &mut TenantTx,
    query: &RetentionQuery,
    beginnings: &[DateTime<Utc>],
    cohorts: usize,
) -> Result<HashMap<(usize, u16), i64>, DbError> {
    let (first, last) = (beginnings.first(), beginnings.last());
    let (Some(first), Some(last)) = (first, last) else {
        return Ok(HashMap::new());
    };
    let any = EventMatch {
        event: None,
        filters: Vec::new(),
    };
    let (start, back) = (
        query.start.as_ref().unwrap_or(&any),
        query.back.as_ref().unwrap_or(&any),
    );
    let who = query.count_by.column();
    let mut sql =
        QueryBuilder::<Postgres>::new("-- analytics.tracked_events.retention\nWITH came AS (");
    if query.first_time {
        sql.push("SELECT who, width_bucket(ts, ");
        sql.push_bind(beginnings).push(") - 1 AS cohort FROM (");
        sql.push(format!("SELECT {who} AS who, min(ts) AS ts FROM analytics.tracked_events WHERE {who} IS NOT NULL AND "));
        start.push(&mut sql);
        sql.push(" AND ts < ")
            .push_bind(last)
            .push(" GROUP BY 1) AS firsts WHERE ts >= ")
            .push_bind(first);
    } else {
        sql.push(format!("SELECT DISTINCT {who} AS who, width_bucket(ts, "));
        sql.push_bind(beginnings);
        sql.push(format!(
            ") - 1 AS cohort FROM analytics.tracked_events WHERE {who} IS NOT NULL AND "
        ));
        start.push(&mut sql);
        sql.push(" AND ts >= ")
            .push_bind(first)
            .push(" AND ts < ")
            .push_bind(last);
    }
    sql.push(format!(
        "), seen AS (SELECT DISTINCT {who} AS who, width_bucket(ts, "
    ));
    sql.push_bind(beginnings);
    sql.push(format!(
        ") - 1 AS piece FROM analytics.tracked_events WHERE {who} IS NOT NULL AND "
    ));
    back.push(&mut sql);
    sql.push(" AND ts >= ")
        .push_bind(first)
        .push(" AND ts < ")
        .push_bind(last);
    sql.push(") SELECT cohort, 0 AS period, count(*) FROM came WHERE cohort < ");
    let cohorts = i32::try_from(cohorts).unwrap_or(i32::MAX);
    sql.push_bind(cohorts);
    sql.push(" GROUP BY 1 UNION ALL SELECT cohort, piece - cohort, count(*) FROM came JOIN seen USING (who) WHERE cohort < ");
    sql.push_bind(cohorts)
        .push(" AND piece > cohort AND piece - cohort <= ");
    sql.push_bind(i32::from(query.periods))
        .push(" GROUP BY 1, 2");
    let rows: Vec<(i32, i32, i64)> = sql.build_query_as().fetch_all(tx.conn()).await?;
    let placed = |(cohort, period, count): (i32, i32, i64)| {
        Some((
            (usize::try_from(cohort).ok()?, u16::try_from(period).ok()?),
            count,
        ))
    };
    Ok(rows.into_iter().filter_map(placed).collect())
}
