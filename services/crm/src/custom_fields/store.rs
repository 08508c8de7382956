//! SQL of the definitions.

use bz_http::Problem;
use bz_tenant::{DbError, OnConstraint, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use super::{CreateCustomField, CustomField};
use crate::{
    problems,
    records::{RecordType, sql::Sql},
};

macro_rules! columns {
    () => {
        "id, record_type, key, label, type, options, required, is_unique, filterable, searchable, scoring, position, \
         created_at, updated_at, version"
    };
}

/// How many fields a type has.
pub(super) async fn count(tx: &mut TenantTx, record_type: &str) -> Result<i64, DbError> {
    let sql =
        "-- crm.custom_fields.count\nSELECT count(*) FROM crm.custom_fields WHERE record_type = $1";
    Ok(query_scalar(sql)
        .bind(record_type)
        .fetch_one(tx.conn())
        .await?)
}

/// Writes a new definition.
pub(super) async fn insert(
    tx: &mut TenantTx,
    id: Uuid,
    now: DateTime<Utc>,
    wanted: &CreateCustomField,
) -> Result<CustomField, Problem> {
    query_as(concat!(
        "-- crm.custom_fields.insert\nINSERT INTO crm.custom_fields (id, record_type, key, label, type, options, required, \
         is_unique, filterable, searchable, scoring, position, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13) RETURNING ",
        columns!()
    ))
    .bind(id)
    .bind(&wanted.record_type)
    .bind(&wanted.key)
    .bind(&wanted.label)
    .bind(wanted.r#type.as_str())
    .bind(&wanted.options)
    .bind(wanted.required)
    .bind(wanted.unique)
    .bind(wanted.filterable)
    .bind(wanted.searchable)
    .bind(wanted.scoring.as_str())
    .bind(wanted.position)
    .bind(now)
    .fetch_one(tx.conn())
    .await
    .on_constraint("custom_fields_key_key", problems::custom_field_exists)
}

/// Writes a definition that is locked.
pub(super) async fn update(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    wanted: &CustomField,
) -> Result<CustomField, DbError> {
    Ok(query_as(concat!(
        "-- crm.custom_fields.update\nUPDATE crm.custom_fields SET label = $2, type = $3, options = $4, required = $5, \
         is_unique = $6, filterable = $7, searchable = $8, scoring = $9, position = $10, updated_at = $11, \
         version = version + 1 WHERE id = $1 RETURNING ",
        columns!()
    ))
    .bind(wanted.id)
    .bind(&wanted.label)
    .bind(wanted.r#type.as_str())
    .bind(&wanted.options)
    .bind(wanted.required)
    .bind(wanted.unique)
    .bind(wanted.filterable)
    .bind(wanted.searchable)
    .bind(wanted.scoring.as_str())
    .bind(wanted.position)
    .bind(now)
    .fetch_one(tx.conn())
    .await?)
}

/// One definition.
pub(super) async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<CustomField>, DbError> {
    let sql = concat!(
        "-- crm.custom_fields.find\nSELECT ",
        columns!(),
        " FROM crm.custom_fields WHERE id = $1"
    );
    Ok(query_as(sql).bind(id).fetch_optional(tx.conn()).await?)
}

/// The same, locked.
pub(super) async fn find_for_update(
    tx: &mut TenantTx,
    id: Uuid,
) -> Result<Option<CustomField>, DbError> {
    let sql = concat!(
        "-- crm.custom_fields.find_for_update\nSELECT ",
        columns!(),
        " FROM crm.custom_fields WHERE id = $1 FOR UPDATE"
    );
    Ok(query_as(sql).bind(id).fetch_optional(tx.conn()).await?)
}

/// A page of definitions, in the order of their making.
pub(super) async fn list(
    tx: &mut TenantTx,
    record_type: Option<&str>,
    after: Option<Uuid>,
    limit: u16,
) -> Result<Vec<CustomField>, DbError> {
    let sql = concat!(
        "-- crm.custom_fields.list\nSELECT ",
        columns!(),
        " FROM crm.custom_fields WHERE ($1::text IS NULL OR record_type = $1) AND ($2::uuid IS NULL OR id > $2) \
         ORDER BY id LIMIT $3"
    );
    Ok(query_as(sql)
        .bind(record_type)
        .bind(after)
        .bind(i64::from(limit) + 1)
        .fetch_all(tx.conn())
        .await?)
}

/// Whether a record has a value of the field.
pub(super) async fn is_used(
    tx: &mut TenantTx,
    record: &RecordType,
    key: &str,
) -> Result<bool, DbError> {
    let mut sql = Sql::new("-- crm.custom_fields.is_used\nSELECT EXISTS (SELECT 1 FROM ");
    sql.push(record.table)
        .push(" WHERE custom ? ")
        .bind(key.to_owned())
        .push(")");
    let (used,): (bool,) = sql.fetch_one(tx).await?;
    Ok(used)
}

/// Indexes the values of a field anew.
///
/// # Errors
/// 409 when the field allows each value only once, and two records have the same.
pub(super) async fn index(tx: &mut TenantTx, record: &RecordType, id: Uuid) -> Result<(), Problem> {
    query("-- crm.custom_fields.index\nSELECT crm.index_custom_field($1, $2::text::regclass)")
        .bind(id)
        .bind(record.table)
        .execute(tx.conn())
        .await
        .on_constraint("custom_values_unique_key", || {
            problems::not_unique("/unique")
        })?;
    Ok(())
}

/// Deletes a definition; its indexed values go with it.
pub(super) async fn delete(tx: &mut TenantTx, id: Uuid) -> Result<(), DbError> {
    query("-- crm.custom_fields.delete\nDELETE FROM crm.custom_fields WHERE id = $1")
        .bind(id)
        .execute(tx.conn())
        .await?;
    Ok(())
}
