//! SQL of imports.

use std::collections::{HashMap, HashSet};

use bz_tabular::Piece;
use bz_tenant::{DbError, TenantTx};
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, query, query_as, query_scalar, types::Json};
use uuid::Uuid;

use super::{cells::Fault, keys::Key};
use crate::records::RecordType;

/// Keeps a piece of an upload.
pub(super) async fn insert_piece(
    tx: &mut TenantTx,
    import: Uuid,
    n: i32,
    piece: &Piece,
) -> Result<(), DbError> {
    query(
        "-- crm.import_pieces.insert\n\
         INSERT INTO crm.import_pieces (import_id, n, first_row, rows, content) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(import)
    .bind(n)
    .bind(piece.first_row)
    .bind(piece.rows)
    .bind(&piece.content)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A piece that waits.
#[derive(FromRow)]
pub(super) struct Waiting {
    pub n: i32,
    pub first_row: i64,
    pub content: Vec<u8>,
}

/// The next piece.
pub(super) async fn next_piece(
    tx: &mut TenantTx,
    import: Uuid,
) -> Result<Option<Waiting>, DbError> {
    let sql = "-- crm.import_pieces.next\n\
               SELECT n, first_row, content FROM crm.import_pieces WHERE import_id = $1 ORDER BY n LIMIT 1";
    Ok(query_as(sql).bind(import).fetch_optional(tx.conn()).await?)
}

/// Deletes a piece that was imported.
pub(super) async fn drop_piece(tx: &mut TenantTx, import: Uuid, n: i32) -> Result<(), DbError> {
    query(
        "-- crm.import_pieces.drop\nDELETE FROM crm.import_pieces WHERE import_id = $1 AND n = $2",
    )
    .bind(import)
    .bind(n)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Deletes the pieces that are left.
pub(super) async fn drop_pieces(tx: &mut TenantTx, import: Uuid) -> Result<(), DbError> {
    query("-- crm.import_pieces.drop_all\nDELETE FROM crm.import_pieces WHERE import_id = $1")
        .bind(import)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// The records that have one of these values in the key's column, the oldest of several. All values at once: before a table has
/// statistics the planner may take an index of which only the tenant helps, and then reads the tenant's rows once, not once a value.
pub(super) async fn known(
    tx: &mut TenantTx,
    record: &RecordType,
    key: Key,
    values: &[&str],
) -> Result<HashMap<String, Uuid>, DbError> {
    let (table, column) = (record.table, key.column);
    let array = if column == "id" { "uuid[]" } else { "text[]" };
    let sql = format!(
        "-- {table}.known_by_{column}\nSELECT id, {column}::text FROM {table} \
         WHERE {column} = ANY($1::text[]::{array}) AND deleted_at IS NULL ORDER BY id DESC"
    );
    let rows: Vec<(Uuid, String)> = query_as(&sql).bind(values).fetch_all(tx.conn()).await?;
    Ok(rows.into_iter().map(|(id, value)| (value, id)).collect())
}

/// Those of these records that the import has written already.
pub(super) async fn touched(
    tx: &mut TenantTx,
    import: Uuid,
    records: &[Uuid],
) -> Result<HashSet<Uuid>, DbError> {
    let sql = "-- crm.import_records.touched\n\
               SELECT record_id FROM crm.import_records WHERE import_id = $1 AND record_id = ANY($2)";
    let ids: Vec<Uuid> = query_scalar(sql)
        .bind(import)
        .bind(records)
        .fetch_all(tx.conn())
        .await?;
    Ok(ids.into_iter().collect())
}

/// Those of these keys that the dry run has met already.
pub(super) async fn seen(
    tx: &mut TenantTx,
    import: Uuid,
    keys: &[String],
) -> Result<HashSet<String>, DbError> {
    let sql = "-- crm.import_keys.seen\nSELECT key FROM crm.import_keys WHERE import_id = $1 AND key = ANY($2)";
    let keys: Vec<String> = query_scalar(sql)
        .bind(import)
        .bind(keys)
        .fetch_all(tx.conn())
        .await?;
    Ok(keys.into_iter().collect())
}

/// Writes down the keys that a dry run meets.
pub(super) async fn remember(
    tx: &mut TenantTx,
    import: Uuid,
    keys: &[String],
) -> Result<(), DbError> {
    query(
        "-- crm.import_keys.insert\n\
         INSERT INTO crm.import_keys (import_id, key) SELECT $1, key FROM unnest($2::text[]) AS k (key) ON CONFLICT DO NOTHING",
    )
    .bind(import)
    .bind(keys)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A row that failed.
#[derive(Serialize)]
pub(super) struct Failed<'a> {
    pub import_id: Uuid,
    pub row_number: i64,
    pub errors: &'a [Fault],
    pub cells: Vec<&'a str>,
}

/// Writes down rows that failed.
pub(super) async fn insert_failed(tx: &mut TenantTx, rows: Vec<Failed<'_>>) -> Result<(), DbError> {
    query(
        "-- crm.import_errors.insert\n\
         INSERT INTO crm.import_errors (import_id, row_number, errors, cells) \
         SELECT import_id, row_number, errors, cells FROM json_populate_recordset(NULL::crm.import_errors, $1::json)",
    )
    .bind(Json(rows))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A record that was written.
#[derive(Debug, Clone, Serialize, FromRow)]
pub(super) struct Written {
    pub record_id: Uuid,
    /// Its version then.
    pub version: i64,
    /// What it had before, if it was there.
    pub before: Option<Value>,
}

/// Writes down what was written. What a record had before stays what it had before the import.
pub(super) async fn insert_written(
    tx: &mut TenantTx,
    import: Uuid,
    rows: Vec<Written>,
) -> Result<(), DbError> {
    query(
        "-- crm.import_records.insert\n\
         INSERT INTO crm.import_records (import_id, record_id, version, before) \
         SELECT $1, record_id, version, before FROM json_populate_recordset(NULL::crm.import_records, $2::json) \
         ON CONFLICT ON CONSTRAINT import_records_pkey DO UPDATE SET version = excluded.version",
    )
    .bind(import)
    .bind(Json(rows))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What was written, behind a record, in the order of the ids.
pub(super) async fn written(
    tx: &mut TenantTx,
    import: Uuid,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Written>, DbError> {
    let sql = "-- crm.import_records.page\n\
               SELECT record_id, version, before FROM crm.import_records \
               WHERE import_id = $1 AND ($2::uuid IS NULL OR record_id > $2) ORDER BY record_id LIMIT $3";
    let rows = query_as(sql)
        .bind(import)
        .bind(after)
        .bind(limit)
        .fetch_all(tx.conn())
        .await?;
    Ok(rows)
}

/// A row that failed, as it is kept.
#[derive(FromRow)]
pub(super) struct FailedRow {
    pub row_number: i64,
    pub errors: Value,
    pub cells: Vec<String>,
}

/// Rows that failed, behind a row.
pub(super) async fn failed(
    tx: &mut TenantTx,
    import: Uuid,
    after: i64,
    limit: i64,
) -> Result<Vec<FailedRow>, DbError> {
    let sql = "-- crm.import_errors.page\n\
               SELECT row_number, errors, cells FROM crm.import_errors \
               WHERE import_id = $1 AND row_number > $2 ORDER BY row_number LIMIT $3";
    let rows = query_as(sql)
        .bind(import)
        .bind(after)
        .bind(limit)
        .fetch_all(tx.conn())
        .await?;
    Ok(rows)
}
