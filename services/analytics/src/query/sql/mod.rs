//! SQL of questions. Everything that is to be counted for any number of questions is one statement: one `SELECT` for each
//! way of counting, tied together by `UNION ALL`.
//!
//! Names of dimensions and measures come from the catalogue, whose rules allow only letters, digits and `_`, and stand in
//! the text; whatever a client sent is bound.

mod deals;
mod events;
mod facts;
mod orders;

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use sqlx::{FromRow, Postgres, QueryBuilder};

use super::expression::Leaf;
use super::window::Window;
use super::{Filter, FilterOperator};
use crate::catalogue::{CURRENCY, Dataset, PLATFORM, Storage};
use crate::tracking;

pub(super) use events::{
    EventSource, count_events, dimensions as event_dimensions, has_sketches, is_countable,
    is_of_counts,
};

/// The most groups that one way of counting may have.
pub(super) const MAX_GROUPS: usize = 50_000;

/// A statement that grows.
type Sql = QueryBuilder<'static, Postgres>;

/// One way of counting: measures of one dataset that need the same rows in the same groups.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) dataset: &'static Dataset,
    pub(super) class: Class,
    /// What is counted, with its number in the question.
    pub(super) leaves: Vec<(usize, Leaf)>,
    pub(super) window: Window,
    pub(super) dimensions: Vec<String>,
    pub(super) filters: Vec<Filter>,
    /// Whether amounts of different currencies are told apart.
    pub(super) by_currency: bool,
    /// Of events: where they are counted.
    pub(super) events: EventSource,
}

/// What kind of counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Sums over rows of the period.
    Sum,
    /// Facts that may not be added to each other.
    Alone,
    /// Facts of which the last of the period counts, by their field.
    Last(&'static str),
    /// Facts of which the first of the period counts, by their field.
    First(&'static str),
    /// Who was there, each once: of one leaf.
    Who(usize),
    /// Customers, each once.
    People,
    /// Orders, each once, of lines.
    Once,
    /// Deals by when they were closed.
    Closed,
    /// Deals that are open at the end of each piece.
    Open,
    /// Deals by when they came to a stage.
    Stages,
}

/// A group of what was counted.
#[derive(Debug, FromRow)]
pub(super) struct Group {
    /// Which way of counting.
    pub(super) part: i32,
    /// Which piece of time.
    pub(super) piece: i32,
    /// The dimensions; empty where there is no value.
    pub(super) keys: Vec<String>,
    /// The currency of the amounts, if they are told apart.
    pub(super) currency: String,
    /// What was counted.
    pub(super) sums: Vec<Option<Decimal>>,
}

/// A group of sketches.
#[derive(Debug, FromRow)]
struct Sketches {
    #[sqlx(flatten)]
    group: Group,
    sketches: Vec<Vec<u8>>,
}

/// Counts in all ways, in one statement; in another one who was there.
pub(super) async fn fetch(tx: &mut TenantTx, reads: &[Read]) -> Result<Vec<Group>, DbError> {
    let is_sketch = |read: &Read| read.events == EventSource::Sketches;
    let mut groups = match statement(reads, |read| !is_sketch(read), select) {
        Some(mut sql) => sql.build_query_as().fetch_all(tx.conn()).await?,
        None => Vec::new(),
    };
    if let Some(mut sql) = statement(reads, is_sketch, events::select_sketches) {
        let found: Vec<Sketches> = sql.build_query_as().fetch_all(tx.conn()).await?;
        for Sketches {
            mut group,
            sketches,
        } in found
        {
            let who = tracking::estimate(sketches.iter().map(Vec::as_slice))?;
            group.sums = vec![Decimal::from_f64_retain(who.round())];
            groups.push(group);
        }
    }
    Ok(groups)
}

/// The statement of some of the ways, if there are any.
fn statement(
    reads: &[Read],
    is_meant: impl Fn(&Read) -> bool,
    select: impl Fn(&mut Sql, usize, &Read),
) -> Option<Sql> {
    let mut sql = Sql::new("-- analytics.metrics.count\n");
    let mut any = false;
    for (part, read) in reads.iter().enumerate().filter(|(_, read)| is_meant(read)) {
        sql.push(if any { " UNION ALL (" } else { "(" });
        select(&mut sql, part, read);
        sql.push(format!(" LIMIT {})", MAX_GROUPS + 1));
        any = true;
    }
    any.then_some(sql)
}

/// One way of counting.
fn select(sql: &mut Sql, part: usize, read: &Read) {
    match (read.dataset.storage, read.class) {
        (Storage::Events, _) => events::select(sql, part, read),
        (Storage::Facts, _) => facts::select(sql, part, read),
        (Storage::Orders, _) => orders::select(sql, part, read),
        (Storage::OrderLines, _) => orders::select_lines(sql, part, read),
        (Storage::Deals, _) => deals::select(sql, part, read),
    }
}

/// The first columns of a `SELECT`: which way of counting, piece, dimensions, currency. `key` says what a dimension is.
fn group_columns(
    sql: &mut Sql,
    part: usize,
    piece: impl FnOnce(&mut Sql),
    read: &Read,
    key: &impl Fn(&str) -> String,
    currency: &str,
) {
    sql.push(format!("SELECT {part} AS part, "));
    piece(sql);
    sql.push(" AS piece, ARRAY[");
    let keys: Vec<String> = read.dimensions.iter().map(|name| key(name)).collect();
    sql.push(keys.join(", "));
    sql.push("]::text[] AS keys, ");
    sql.push(if read.by_currency { currency } else { "''" });
    sql.push("::text AS currency, ARRAY[");
}

/// What follows the sums of a `SELECT`.
const GROUPED: &str = " GROUP BY 2, 3, 4";

/// Which piece a day lies in.
fn piece_of_day(column: &'static str, window: &Window) -> impl FnOnce(&mut Sql) + use<> {
    let days = window.first_days();
    move |sql| bucket(sql, column, days)
}

/// Which piece an instant lies in.
fn piece_of_instant(column: &'static str, window: &Window) -> impl FnOnce(&mut Sql) + use<> {
    let starts = window.starts();
    move |sql| bucket(sql, column, starts)
}

/// Which of the ordered `beginnings` comes last before a column, from 0.
fn bucket<T>(sql: &mut Sql, column: &str, beginnings: Vec<T>)
where
    Vec<T>: sqlx::Type<Postgres> + sqlx::Encode<'static, Postgres> + Send + 'static,
{
    if beginnings.len() == 1 {
        sql.push("0");
    } else {
        sql.push(format!("width_bucket({column}, "));
        sql.push_bind(beginnings);
        sql.push(") - 1");
    }
}

/// ` column >= from AND column < until`.
fn between_days(sql: &mut Sql, column: &str, from: NaiveDate, until: NaiveDate) {
    sql.push(format!("{column} >= "));
    sql.push_bind(from);
    sql.push(format!(" AND {column} < "));
    sql.push_bind(until);
}

/// ` column >= from AND column < until`.
fn between(sql: &mut Sql, column: &str, from: DateTime<Utc>, until: DateTime<Utc>) {
    sql.push(format!("{column} >= "));
    sql.push_bind(from);
    sql.push(format!(" AND {column} < "));
    sql.push_bind(until);
}

/// The conditions of the question, each with ` AND ` before it.
fn filtered(sql: &mut Sql, read: &Read, key: &impl Fn(&str) -> String) {
    for filter in &read.filters {
        let column = key(&filter.dimension);
        sql.push(" AND ");
        match filter.operator {
            FilterOperator::In => {
                sql.push(format!("{column} = ANY ("));
                sql.push_bind(filter.values.clone());
                sql.push(")");
            }
            FilterOperator::NotIn => {
                sql.push(format!("{column} <> ALL ("));
                sql.push_bind(filter.values.clone());
                sql.push(")");
            }
            FilterOperator::Contains => {
                sql.push("EXISTS (SELECT 1 FROM unnest(");
                sql.push_bind(filter.values.clone());
                sql.push(format!(
                    "::text[]) AS part WHERE strpos(lower({column}), lower(part)) > 0)"
                ));
            }
        }
    }
}

/// What a dimension is that is not a column: the dataset's own key, or a member of `dims`.
fn key_in_dims(read: &Read, name: &str, table: &str, currency: &str) -> String {
    match name {
        PLATFORM => format!("'{}'", read.dataset.key),
        CURRENCY => currency.to_owned(),
        own => format!("coalesce({table}.dims ->> '{own}', '')"),
    }
}
