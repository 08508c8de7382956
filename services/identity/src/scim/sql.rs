//! Filters as conditions of a statement. Names of columns are ours; every value is bound.

use bz_http::Problem;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Datelike, Utc};
use serde_json::Value;
use sqlx::{FromRow, Postgres, QueryBuilder, postgres::PgRow};

use super::{
    error::bad_request,
    filter::{Filter, Operator},
    query::{Sort, Wanted},
};

/// What an attribute is in a statement.
#[derive(Debug, Clone, Copy)]
pub(super) enum Column {
    /// Text that is compared without regard to case.
    Text(&'static str),
    /// Text that is compared as it is.
    Exact(&'static str),
    /// A truth value.
    Flag(&'static str),
    /// An instant.
    Time(&'static str),
    /// Another table's column, which any row of may match: the start of a condition that the comparison completes.
    Any(&'static str),
}

/// A list of resources: the two statements, to which a condition is added, their order, and the attributes' columns.
pub(super) struct Listing {
    /// `SELECT count(*) ... WHERE `.
    pub(super) count: &'static str,
    /// `SELECT ... WHERE `.
    pub(super) select: &'static str,
    /// The column of the order.
    pub(super) order: &'static str,
    /// What an attribute is.
    pub(super) column_of: fn(&str) -> Option<Column>,
}

/// How many rows pass the filter, and those that are wanted of them.
///
/// # Errors
/// 400 `invalidFilter` or `invalidValue`.
pub(super) async fn page<R>(
    tx: &mut TenantTx,
    listing: &Listing,
    wanted: &Wanted,
) -> Result<(i64, Vec<R>), Problem>
where
    R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let mut counted = QueryBuilder::new(listing.count);
    let mut listed = QueryBuilder::new(listing.select);
    for query in [&mut counted, &mut listed] {
        match &wanted.filter {
            Some(filter) => push(query, filter, listing.column_of)?,
            None => _ = query.push("true"),
        }
    }
    let total: i64 = counted
        .build_query_scalar()
        .fetch_one(tx.conn())
        .await
        .map_err(DbError::from)?;
    listed.push(" ORDER BY ");
    if let Some(sort) = &wanted.sort {
        push_order(&mut listed, sort, listing.column_of)?;
    }
    listed.push(listing.order);
    listed.push(" OFFSET ").push_bind(wanted.start - 1);
    listed.push(" LIMIT ").push_bind(wanted.count);
    let rows = listed
        .build_query_as()
        .fetch_all(tx.conn())
        .await
        .map_err(DbError::from)?;
    Ok((total, rows))
}

/// Appends an order. Resources without the attribute are last, or first when the greatest are (RFC 7644 section 3.4.2.3),
/// which is how Postgres orders NULL.
fn push_order(
    query: &mut QueryBuilder<'_, Postgres>,
    sort: &Sort,
    column_of: fn(&str) -> Option<Column>,
) -> Result<(), Problem> {
    match column_of(&sort.by) {
        Some(Column::Text(sql)) => query.push(format_args!("lower({sql})")),
        Some(Column::Exact(sql) | Column::Flag(sql) | Column::Time(sql)) => query.push(sql),
        Some(Column::Any(_)) | None => {
            let detail = format!("There is no attribute {:.100} to sort by.", sort.by);
            return Err(bad_request("invalidValue", detail));
        }
    };
    query.push(if sort.descending { " DESC, " } else { ", " });
    Ok(())
}

/// Appends a filter as a condition.
///
/// # Errors
/// 400 `invalidFilter` for what is no attribute, or cannot be compared so.
pub(super) fn push(
    query: &mut QueryBuilder<'_, Postgres>,
    filter: &Filter,
    column_of: fn(&str) -> Option<Column>,
) -> Result<(), Problem> {
    match filter {
        Filter::And(one, other) => pair(query, one, " AND ", other, column_of),
        Filter::Or(one, other) => pair(query, one, " OR ", other, column_of),
        Filter::Not(inner) => {
            query.push("NOT (");
            push(query, inner, column_of)?;
            query.push(")");
            Ok(())
        }
        Filter::Present(name) => present(query, column(name, column_of)?),
        Filter::Compare(name, operator, value) => {
            compare(query, column(name, column_of)?, *operator, value)
        }
    }
}

fn pair(
    query: &mut QueryBuilder<'_, Postgres>,
    one: &Filter,
    between: &str,
    other: &Filter,
    column_of: fn(&str) -> Option<Column>,
) -> Result<(), Problem> {
    query.push("(");
    push(query, one, column_of)?;
    query.push(between);
    push(query, other, column_of)?;
    query.push(")");
    Ok(())
}

fn column(name: &str, column_of: fn(&str) -> Option<Column>) -> Result<Column, Problem> {
    column_of(name).ok_or_else(|| {
        bad_request(
            "invalidFilter",
            format!("There is no attribute {name:.100} to filter by."),
        )
    })
}

fn present(query: &mut QueryBuilder<'_, Postgres>, column: Column) -> Result<(), Problem> {
    match column {
        Column::Text(sql) | Column::Exact(sql) | Column::Flag(sql) | Column::Time(sql) => {
            query.push(format_args!("{sql} IS NOT NULL"));
        }
        Column::Any(sql) => {
            query.push(format_args!("{sql} IS NOT NULL)"));
        }
    }
    Ok(())
}

fn compare(
    query: &mut QueryBuilder<'_, Postgres>,
    column: Column,
    operator: Operator,
    value: &Value,
) -> Result<(), Problem> {
    match (column, value) {
        (Column::Text(sql), Value::String(text)) => {
            let sql = format!("lower(coalesce({sql}, ''))");
            compare_text(query, &sql, operator, text.to_lowercase());
        }
        (Column::Exact(sql), Value::String(text)) => {
            compare_text(
                query,
                &format!("coalesce({sql}, '')"),
                operator,
                text.clone(),
            );
        }
        (Column::Any(sql), Value::String(text)) if operator == Operator::Equal => {
            query.push(format_args!("{sql} = "));
            query.push_bind(text.clone());
            query.push(")");
        }
        (Column::Flag(sql), Value::Bool(flag)) => {
            let sign = match operator {
                Operator::Equal => "=",
                Operator::NotEqual => "<>",
                _ => return Err(cannot()),
            };
            query.push(format_args!("{sql} {sign} "));
            query.push_bind(*flag);
        }
        (Column::Time(sql), Value::String(text)) => {
            let at: DateTime<Utc> = text.parse().map_err(|_| cannot())?;
            // The database knows other years than the library.
            if !(1..=9999).contains(&at.year()) {
                return Err(cannot());
            }
            let sign = sign(operator).ok_or_else(cannot)?;
            query.push(format_args!("{sql} {sign} "));
            query.push_bind(at);
        }
        _ => return Err(cannot()),
    }
    Ok(())
}

fn compare_text(
    query: &mut QueryBuilder<'_, Postgres>,
    sql: &str,
    operator: Operator,
    text: String,
) {
    if let Some(sign) = sign(operator) {
        query.push(format_args!("{sql} {sign} "));
        query.push_bind(text);
        return;
    }
    let function = match operator {
        Operator::StartsWith => format!("starts_with({sql}, "),
        Operator::EndsWith => format!("right({sql}, {}) = (", text.chars().count()),
        _ => format!("0 < strpos({sql}, "),
    };
    query.push(function);
    query.push_bind(text);
    query.push(")");
}

fn sign(operator: Operator) -> Option<&'static str> {
    Some(match operator {
        Operator::Equal => "=",
        Operator::NotEqual => "<>",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::Contains | Operator::StartsWith | Operator::EndsWith => return None,
    })
}

fn cannot() -> Problem {
    bad_request("invalidFilter", "The attribute cannot be compared so.")
}
