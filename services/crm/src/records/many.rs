//! Many records in one statement. The rows go as one JSON text, which Postgres takes apart into the columns' types: no
//! limit of parameters, one plan, and arrays and objects as they are. `COPY` would be faster, but Postgres refuses it on tables
//! with row-level security.

use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::{query, types::Json};
use uuid::Uuid;

use super::{Fields, Record, Rules, access::Sight, sql::Columns, sql::Sql};

/// A row as JSON.
type Object = Map<String, Value>;

/// A record to be written.
pub(crate) struct Row<F> {
    /// Its id.
    pub id: Uuid,
    /// What clients write of it.
    pub fields: F,
    /// Further columns, which clients do not write.
    pub extra: Map<String, Value>,
}

/// Writes new records.
pub(crate) async fn insert<R: Record>(
    tx: &mut TenantTx,
    by: UserId,
    now: DateTime<Utc>,
    rows: &[&Row<R::Fields>],
) -> Result<Vec<R>, DbError> {
    let made = |row: &Row<R::Fields>| {
        let mut columns = Columns::of_many();
        columns
            .set("id", row.id)
            .set("created_by", by.as_uuid())
            .set("updated_at", now);
        if !row.extra.contains_key("created_at") {
            columns.set("created_at", now);
        }
        columns
    };
    let (names, json) = assemble::<R>(rows, made)?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let (table, names) = (R::TYPE.table, names.join(", "));
    let mut sql = Sql::new(format!(
        "-- {table}.insert_many\nINSERT INTO {table} ({names}) \
         SELECT {names} FROM json_populate_recordset(NULL::{table}, "
    ));
    sql.bind(json).push("::json) RETURNING ").push(R::columns());
    sql.fetch_all(tx).await
}

/// Writes all fields of records that are locked.
pub(crate) async fn update<R: Record>(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    rows: &[&Row<R::Fields>],
) -> Result<Vec<R>, DbError> {
    let made = |row: &Row<R::Fields>| {
        let mut columns = Columns::of_many();
        columns.set("id", row.id).set("updated_at", now);
        columns
    };
    let (names, json) = assemble::<R>(rows, made)?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let table = R::TYPE.table;
    let assigned = names.iter().filter(|name| *name != "id");
    let assigned: Vec<String> = assigned.map(|name| format!("{name} = r.{name}")).collect();
    let mut sql = Sql::new(format!(
        "-- {table}.update_many\nWITH written AS (\
         UPDATE {table} AS t SET version = t.version + 1, {} FROM json_populate_recordset(NULL::{table}, ",
        assigned.join(", ")
    ));
    sql.bind(json)
        .push("::json) AS r WHERE t.id = r.id RETURNING t.*) SELECT ")
        .push(R::columns())
        .push(" FROM written");
    sql.fetch_all(tx).await
}

/// Puts records that are locked into the trash.
pub(crate) async fn delete<R: Record>(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    ids: &[Uuid],
) -> Result<u64, DbError> {
    let table = R::TYPE.table;
    let sql = format!(
        "-- {table}.delete_many\nUPDATE {table} SET version = version + 1, updated_at = $1, deleted_at = $1 \
         WHERE id = ANY($2) AND deleted_at IS NULL"
    );
    let done = query(&sql).bind(now).bind(ids).execute(tx.conn()).await?;
    Ok(done.rows_affected())
}

/// Those of these records that are seen, in the trash or not, locked until the transaction ends.
pub(crate) async fn lock<R: Record>(
    tx: &mut TenantTx,
    sight: Sight,
    ids: &[Uuid],
) -> Result<Vec<R>, DbError> {
    let (table, columns) = (R::TYPE.table, R::columns());
    let mut sql = Sql::new(format!(
        "-- {table}.lock_many\nSELECT {columns} FROM {table} WHERE id = ANY("
    ));
    sql.bind(ids.to_vec()).push(")");
    sight.push(&mut sql);
    // In one order, so that two who lock the same records do not wait for each other.
    sql.push(" ORDER BY id FOR UPDATE");
    sql.fetch_all(tx).await
}

/// The names of the columns, which all rows share, and the rows.
fn assemble<R: Record>(
    rows: &[&Row<R::Fields>],
    made: impl Fn(&Row<R::Fields>) -> Columns,
) -> Result<(Vec<String>, Json<Vec<Object>>), DbError> {
    let mut names: Vec<String> = Vec::new();
    let mut list = Vec::with_capacity(rows.len());
    for row in rows {
        let mut columns = made(row);
        row.fields.write(&mut columns);
        <R as Rules>::derive(&row.fields, &mut columns);
        let (own, mut json) = columns.into_row()?;
        if names.is_empty() {
            names = own.into_iter().map(Into::into).collect();
        }
        json.extend(row.extra.clone());
        list.push(json);
    }
    // Further columns are those of any row: the others have what the table gives them.
    for row in rows {
        for name in row
            .extra
            .keys()
            .filter(|name| R::TYPE.field(name).is_some())
        {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    if names.iter().any(|name| name == "created_at") {
        for json in &mut list {
            let updated = json.get("updated_at").cloned().unwrap_or_default();
            json.entry("created_at").or_insert(updated);
        }
    }
    Ok((names, Json(list)))
}
