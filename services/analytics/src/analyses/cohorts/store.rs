//! SQL of cohorts.

use std::collections::BTreeMap;

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, Postgres, QueryBuilder, query_scalar};

use super::{CohortsQuery, FIRST_PRODUCT};
use crate::analyses::events::push_filter;

/// How many values of a dimension are told apart.
const MOST_VALUES: i64 = 20;

/// What a cohort did in one period.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    pub(super) customers: i64,
    pub(super) orders: i64,
    pub(super) net_minor: i64,
    pub(super) cost_minor: i64,
}

#[derive(FromRow)]
struct Row {
    cohort: i32,
    value: Option<String>,
    period: i32,
    customers: i64,
    orders: i64,
    net_minor: i64,
    cost_minor: i64,
}

/// The currencies of the tenant's orders, a few of them.
pub(super) async fn currencies(tx: &mut TenantTx) -> Result<Vec<String>, DbError> {
    Ok(query_scalar(
        "-- analytics.orders.currencies\nSELECT DISTINCT currency FROM analytics.orders ORDER BY 1 LIMIT 5",
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Sums by cohort (its place), value of the dimension, and period. Refunds of a customer count to the period in which they
/// were made; the first order is the first of all, also before the range.
pub(super) async fn sums(
    tx: &mut TenantTx,
    query: &CohortsQuery,
    currency: Option<&str>,
    (beginnings, cohorts): (&[DateTime<Utc>], usize),
) -> Result<BTreeMap<(usize, Option<String>), BTreeMap<u16, Sums>>, DbError> {
    let (Some(first), Some(last)) = (beginnings.first(), beginnings.last()) else {
        return Ok(BTreeMap::new());
    };
    let behind = beginnings.get(cohorts).unwrap_or(last);
    let mut sql = QueryBuilder::<Postgres>::new("-- analytics.orders.cohorts\n");
    push_members(&mut sql, query, currency, (first, behind));
    sql.push(
        " SELECT m.cohort, m.value, greatest(width_bucket(o.ordered_at, m.beginnings) - m.cohort, 0) AS period, \
                 count(DISTINCT o.customer) FILTER (WHERE o.is_order) AS customers, \
                 count(*) FILTER (WHERE o.is_order) AS orders, \
                 sum(o.gross_minor - o.discount_minor - o.refund_minor)::bigint AS net_minor, \
                 sum(o.cost_minor)::bigint AS cost_minor \
          FROM (SELECT f.customer, ",
    );
    let ranked = query.dimension.is_some();
    if ranked {
        sql.push("CASE WHEN r.rank <= ")
            .push_bind(MOST_VALUES)
            .push(" THEN f.value ELSE '(other)' END AS value, ");
    } else {
        sql.push("f.value, ");
    }
    sql.push("b.beginnings, width_bucket(f.ordered_at, b.beginnings) AS cohort FROM members f CROSS JOIN (SELECT ");
    sql.push_bind(beginnings)
        .push("::timestamptz[] AS beginnings) b");
    if ranked {
        sql.push(
            " JOIN (SELECT value, row_number() OVER (ORDER BY count(*) DESC, value) AS rank FROM members GROUP BY value) r \
              USING (value)",
        );
    }
    sql.push(") m JOIN analytics.orders o ON o.customer = m.customer WHERE o.ordered_at < ")
        .push_bind(last);
    push_currency(&mut sql, currency);
    sql.push(" GROUP BY 1, 2, 3");
    let rows: Vec<Row> = sql.build_query_as().fetch_all(tx.conn()).await?;
    Ok(placed(rows, query.periods))
}

/// The customers of the cohorts, with their first order's instant and value of the dimension.
fn push_members<'a>(
    sql: &mut QueryBuilder<'a, Postgres>,
    query: &'a CohortsQuery,
    currency: Option<&'a str>,
    (from, until): (&'a DateTime<Utc>, &'a DateTime<Utc>),
) {
    sql.push(
        "WITH firsts AS (SELECT DISTINCT ON (customer) customer, ordered_at, source_id, order_id, dims FROM analytics.orders \
         WHERE customer IS NOT NULL AND is_order",
    );
    push_currency(sql, currency);
    sql.push(" ORDER BY customer, ordered_at, source_id, order_id), members AS (SELECT customer, ordered_at, ");
    match query.dimension.as_deref() {
        None => sql.push("NULL::text"),
        Some(name) => sql.push("coalesce(").push(dimension(name)).push(", '')"),
    };
    sql.push(" AS value FROM firsts WHERE ordered_at >= ")
        .push_bind(from);
    sql.push(" AND ordered_at < ").push_bind(until);
    for filter in &query.filters {
        sql.push(" AND ");
        push_filter(sql, &dimension(&filter.dimension), filter);
    }
    sql.push(")");
}

fn push_currency<'a>(sql: &mut QueryBuilder<'a, Postgres>, currency: Option<&'a str>) {
    if let Some(code) = currency {
        sql.push(" AND currency = ").push_bind(code);
    }
}

/// The value of a dimension of the first order. Names were checked: small letters, digits and `_`.
fn dimension(name: &str) -> String {
    if name == FIRST_PRODUCT {
        return "(SELECT l.product FROM analytics.order_lines l WHERE l.source_id = firsts.source_id \
                AND l.order_id = firsts.order_id ORDER BY l.line LIMIT 1)"
            .to_owned();
    }
    let plain = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_';
    let name: String = name.chars().filter(plain).collect();
    format!("dims->>'{name}'")
}

fn placed(rows: Vec<Row>, periods: u16) -> BTreeMap<(usize, Option<String>), BTreeMap<u16, Sums>> {
    let mut placed: BTreeMap<_, BTreeMap<u16, Sums>> = BTreeMap::new();
    for row in rows {
        // Cohorts are counted from 1 by width_bucket.
        let place = usize::try_from(row.cohort - 1)
            .ok()
            .zip(u16::try_from(row.period).ok());
        let Some((cohort, period)) = place.filter(|(_, period)| *period <= periods) else {
            continue;
        };
        let sums = Sums {
            customers: row.customers,
            orders: row.orders,
            net_minor: row.net_minor,
            cost_minor: row.cost_minor,
        };
        placed
            .entry((cohort, row.value))
            .or_default()
            .insert(period, sums);
    }
    placed
}
