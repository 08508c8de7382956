//! SQL that is the same for every type of record. Row-level security confines every statement to the tenant of the
//! transaction.

use bz_http::Problem;
use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::{Fields, Record, Rules, access::Sight, dynamic::Working, sql::Columns, sql::Sql};

/// Writes a new record.
pub(crate) async fn insert<R: Record>(
    tx: &mut TenantTx,
    id: Uuid,
    by: UserId,
    now: DateTime<Utc>,
    wanted: &R::Fields,
) -> Result<R, DbError> {
    let mut columns = Columns::default();
    columns
        .set("id", id)
        .set("created_by", by.as_uuid())
        .set("created_at", now)
        .set("updated_at", now);
    wanted.write(&mut columns);
    <R as Rules>::derive(wanted, &mut columns);
    let table = R::TYPE.table;
    let mut sql = Sql::new(format!("-- {table}.insert\nINSERT INTO {table}"));
    sql.values(columns).push(" RETURNING ").push(R::columns());
    sql.fetch_one(tx).await
}

/// Writes all fields of a record that is locked.
pub(crate) async fn update<R: Record>(
    tx: &mut TenantTx,
    id: Uuid,
    now: DateTime<Utc>,
    wanted: &R::Fields,
) -> Result<R, DbError> {
    let mut columns = Columns::default();
    columns.set("updated_at", now);
    wanted.write(&mut columns);
    <R as Rules>::derive(wanted, &mut columns);
    let table = R::TYPE.table;
    let mut sql = Sql::new(format!("-- {table}.update\nUPDATE {table} SET "));
    sql.assignments(columns)
        .push(", version = version + 1 WHERE id = ")
        .bind(id);
    sql.push(" RETURNING ").push(R::columns());
    sql.fetch_one(tx).await
}

/// Puts a record that is locked into the trash, or takes it out.
pub(crate) async fn set_deleted<R: Record>(
    tx: &mut TenantTx,
    id: Uuid,
    now: DateTime<Utc>,
    deleted_at: Option<DateTime<Utc>>,
) -> Result<R, DbError> {
    let table = R::TYPE.table;
    let mut sql = Sql::new(format!(
        "-- {table}.set_deleted\nUPDATE {table} SET version = version + 1, updated_at = "
    ));
    sql.bind(now).push(", deleted_at = ").bind(deleted_at);
    sql.push(" WHERE id = ").bind(id);
    sql.push(" RETURNING ").push(R::columns());
    sql.fetch_one(tx).await
}

/// A record that is seen, in the trash or not.
pub(crate) async fn find<R: Record>(
    tx: &mut TenantTx,
    sight: Sight,
    id: Uuid,
) -> Result<Option<R>, DbError> {
    select::<R>(sight, id, "find", "").fetch_optional(tx).await
}

/// The same, locked until the transaction ends, so that a change is made on what was read.
pub(crate) async fn find_for_update<R: Record>(
    tx: &mut TenantTx,
    sight: Sight,
    id: Uuid,
) -> Result<Option<R>, DbError> {
    select::<R>(sight, id, "find_for_update", " FOR UPDATE")
        .fetch_optional(tx)
        .await
}

/// The records with these ids that are seen and not in the trash, as documents.
pub(crate) fn documents<R: Record>(
    tx: &mut TenantTx,
    sight: Sight,
    ids: Vec<Uuid>,
) -> Working<'_, Vec<(Uuid, Value)>> {
    Box::pin(async move {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (table, columns) = (R::TYPE.table, R::columns());
        let mut sql = Sql::new(format!(
            "-- {table}.documents\nSELECT {columns} FROM {table} WHERE deleted_at IS NULL AND id = ANY("
        ));
        sql.bind(ids).push(")");
        sight.push(&mut sql);
        let records: Vec<R> = sql.fetch_all(tx).await?;
        let document = |record: &R| {
            let value = serde_json::to_value(record).map_err(Problem::internal)?;
            Ok((record.head().id, value))
        };
        records.iter().map(document).collect()
    })
}

fn select<R: Record>(sight: Sight, id: Uuid, name: &str, lock: &str) -> Sql {
    let (table, columns) = (R::TYPE.table, R::columns());
    let mut sql = Sql::new(format!(
        "-- {table}.{name}\nSELECT {columns} FROM {table} WHERE id = "
    ));
    sql.bind(id);
    sight.push(&mut sql);
    sql.push(lock);
    sql
}
