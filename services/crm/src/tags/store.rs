//! SQL of the tags.

use bz_http::Problem;
use bz_tenant::{DbError, OnConstraint, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{query, query_as};
use uuid::Uuid;

use super::{CreateTag, Tag};
use crate::{problems, records::ALL};

macro_rules! columns {
    () => {
        "id, name, color, created_at, updated_at, version"
    };
}
macro_rules! counted {
    () => {
        "id, name, color, created_at, updated_at, version, (SELECT count(*) FROM crm.record_tags AS r \
         WHERE r.record_type = ANY($1) AND r.tag = t.name) AS records"
    };
}

fn types() -> Vec<&'static str> {
    ALL.iter().map(|record| record.name).collect()
}

/// Writes a new tag.
pub(super) async fn insert(
    tx: &mut TenantTx,
    id: Uuid,
    now: DateTime<Utc>,
    wanted: &CreateTag,
) -> Result<Tag, Problem> {
    query_as(concat!(
        "-- crm.tags.insert\nINSERT INTO crm.tags (id, name, color, created_at, updated_at) VALUES ($1, $2, $3, $4, $4) \
         RETURNING ",
        columns!()
    ))
    .bind(id)
    .bind(&wanted.name)
    .bind(&wanted.color)
    .bind(now)
    .fetch_one(tx.conn())
    .await
    .on_constraint("tags_name_key", problems::tag_exists)
}

/// Writes a tag that is locked.
pub(super) async fn update(
    tx: &mut TenantTx,
    id: Uuid,
    now: DateTime<Utc>,
    (name, color): (&str, Option<&str>),
) -> Result<(), Problem> {
    query(
        "-- crm.tags.update\nUPDATE crm.tags SET name = $2, color = $3, updated_at = $4, version = version + 1 WHERE id = $1",
    )
    .bind(id)
    .bind(name)
    .bind(color)
    .bind(now)
    .execute(tx.conn())
    .await
    .on_constraint("tags_name_key", problems::tag_exists)?;
    Ok(())
}

/// One tag.
pub(super) async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<Tag>, DbError> {
    let sql = concat!(
        "-- crm.tags.find\nSELECT ",
        counted!(),
        " FROM crm.tags AS t WHERE id = $2"
    );
    Ok(query_as(sql)
        .bind(types())
        .bind(id)
        .fetch_optional(tx.conn())
        .await?)
}

/// The same without its count, locked.
pub(super) async fn find_for_update(tx: &mut TenantTx, id: Uuid) -> Result<Option<Tag>, DbError> {
    let sql = concat!(
        "-- crm.tags.find_for_update\nSELECT ",
        columns!(),
        " FROM crm.tags WHERE id = $1 FOR UPDATE"
    );
    Ok(query_as(sql).bind(id).fetch_optional(tx.conn()).await?)
}

/// A page of tags, by name.
pub(super) async fn list(
    tx: &mut TenantTx,
    after: Option<&str>,
    limit: u16,
) -> Result<Vec<Tag>, DbError> {
    let sql = concat!(
        "-- crm.tags.list\nSELECT ",
        counted!(),
        " FROM crm.tags AS t WHERE ($2::text IS NULL OR name > $2) ORDER BY name LIMIT $3"
    );
    Ok(query_as(sql)
        .bind(types())
        .bind(after)
        .bind(i64::from(limit) + 1)
        .fetch_all(tx.conn())
        .await?)
}

/// Deletes a tag.
pub(super) async fn delete(tx: &mut TenantTx, id: Uuid) -> Result<(), DbError> {
    query("-- crm.tags.delete\nDELETE FROM crm.tags WHERE id = $1")
        .bind(id)
        .execute(tx.conn())
        .await?;
    Ok(())
}
