//! One page of rows, from the position behind which it starts.

use bz_http::Problem;
use bz_tenant::TenantTx;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, Row, postgres::PgRow};
use uuid::Uuid;

use super::{
    super::{Record, sql::Sql},
    Which,
    sort::{Key, Sort},
};

/// Where a page ends: the keys of its last record, and its id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Position {
    keys: Vec<Option<String>>,
    id: Uuid,
}

/// A record with the keys that it is sorted by.
pub(super) struct Keyed<R> {
    pub record: R,
    keys: Vec<Option<String>>,
    id: Uuid,
}

impl<R> Keyed<R> {
    pub(super) fn position(&self) -> Position {
        Position {
            keys: self.keys.clone(),
            id: self.id,
        }
    }
}

impl<'r, R: FromRow<'r, PgRow>> FromRow<'r, PgRow> for Keyed<R> {
    fn from_row(row: &'r PgRow) -> Result<Self, sqlx::Error> {
        let mut keys = Vec::new();
        loop {
            match row.try_get(format!("sort_{}", keys.len()).as_str()) {
                Ok(key) => keys.push(key),
                Err(sqlx::Error::ColumnNotFound(_)) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(Self {
            record: R::from_row(row)?,
            keys,
            id: row.try_get("id")?,
        })
    }
}

/// What page of which list.
pub(super) struct Request<'a> {
    pub which: Which<'a>,
    pub sort: &'a Sort,
    pub after: Option<Position>,
    pub limit: u16,
}

/// The rows of the page, and one more if there is one.
pub(super) async fn rows<R: Record>(
    tx: &mut TenantTx,
    request: &Request<'_>,
) -> Result<Vec<Keyed<R>>, Problem> {
    let wanted = usize::from(request.limit) + 1;
    let first = request.sort.keys.first();
    let after = request
        .after
        .as_ref()
        .filter(|after| after.keys.len() == request.sort.keys.len());
    let among_empty = first.is_some() && after.is_some_and(|after| after.keys[0].is_none());
    let mut rows = Vec::new();
    if !among_empty {
        let sql = statement::<R>(request, after, true, wanted)?;
        rows = sql.fetch_all(tx).await?;
    }
    if rows.len() < wanted && first.is_some_and(|key| key.nullable) {
        let after = after.filter(|_| among_empty);
        let sql = statement::<R>(request, after, false, wanted - rows.len())?;
        rows.extend(sql.fetch_all(tx).await?);
    }
    Ok(rows)
}

/// The statement for the part of the list that has a value in the first key, or for the part that has none.
fn statement<R: Record>(
    request: &Request<'_>,
    after: Option<&Position>,
    with_value: bool,
    limit: usize,
) -> Result<Sql, Problem> {
    let (table, columns, sort) = (R::TYPE.table, R::columns(), request.sort);
    let mut sql = Sql::new(format!("-- {table}.list\nSELECT {columns}"));
    sort.select(&mut sql);
    sql.push(" FROM ").push(table);
    sort.join(&mut sql);
    sql.push(" WHERE true");
    if let Some(first) = sort.keys.first().filter(|first| first.nullable) {
        let test = if with_value {
            " IS NOT NULL"
        } else {
            " IS NULL"
        };
        sql.push(" AND ").push(&first.expression).push(test);
    }
    if let Some(after) = after {
        behind(&mut sql, sort, after, with_value);
    }
    request.which.push(&mut sql)?;
    sort.order(&mut sql, with_value);
    sql.push(" LIMIT ")
        .bind(i64::try_from(limit).unwrap_or(i64::MAX));
    Ok(sql)
}

/// Adds the condition that a row is behind a position.
fn behind(sql: &mut Sql, sort: &Sort, after: &Position, with_value: bool) {
    let id = sort.id(with_value);
    let skipped = usize::from(!with_value);
    let keys: Vec<(&Key, Option<&str>)> = sort
        .keys
        .iter()
        .zip(after.keys.iter().map(Option::as_deref))
        .skip(skipped)
        .collect();
    match keys.as_slice() {
        [] => {
            sql.push(" AND ").push(id).push(sign(sort.descending));
            sql.bind(after.id);
        }
        // One comparison of both, which is one condition of an index.
        [(key, Some(value))] if with_value => {
            sql.push(" AND (").push(&key.expression);
            sql.push(", ").push(id).push(")");
            sql.push(sign(sort.descending)).push("(");
            key.bind(sql, value);
            sql.push(", ").bind(after.id).push(")");
        }
        keys => {
            if let [(first, Some(value)), ..] = keys
                && with_value
            {
                // Says the same as the rest does, in a form that an index can begin with.
                sql.push(" AND ").push(&first.expression);
                sql.push(if first.descending { " <= " } else { " >= " });
                first.bind(sql, value);
            }
            sql.push(" AND (");
            for n in 0..keys.len() {
                let (key, value) = keys[n];
                if let Some(value) = value {
                    equal(sql, &keys[..n]);
                    sql.push("(").push(&key.expression);
                    sql.push(sign(key.descending));
                    key.bind(sql, value);
                    sql.push(" OR ").push(&key.expression).push(" IS NULL) OR ");
                }
            }
            equal(sql, keys);
            sql.push(id).push(sign(sort.descending));
            sql.bind(after.id).push(")");
        }
    }
}

/// Adds that these keys are the position's own.
fn equal(sql: &mut Sql, keys: &[(&Key, Option<&str>)]) {
    for (key, value) in keys {
        sql.push(&key.expression);
        match value {
            Some(value) => {
                sql.push(" = ");
                key.bind(sql, value);
            }
            None => {
                sql.push(" IS NULL");
            }
        }
        sql.push(" AND ");
    }
}

const fn sign(descending: bool) -> &'static str {
    if descending { " < " } else { " > " }
}
