//! SQL of what a tenant describes and changes version by version, each with a name: agents and crews.

use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{FromRow, query, query_as, query_scalar, types::Json};
use uuid::Uuid;

use crate::agents::is_name;

/// A description that is kept with its versions.
pub(crate) trait Definition:
    Serialize + DeserializeOwned + Send + Sync + Unpin + 'static
{
    /// What it describes. Its tables are called after it: `agent` is kept in `agents` and `agent_versions`.
    const OF: &'static str;
}

/// A stored one.
#[derive(FromRow)]
pub(crate) struct Row<D: Definition> {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) definition: Json<D>,
    pub(crate) created_by: Uuid,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) version: i64,
}

/// A version: which, what it was, who made it so and when.
pub(crate) type VersionRow<D> = (i64, Json<D>, Uuid, DateTime<Utc>);

/// What is read of a stored one.
pub(crate) const COLUMNS: &str =
    "id, name, definition, created_by, created_at, updated_at, version";

/// How many the tenant has.
pub(crate) async fn count<D: Definition>(tx: &mut TenantTx) -> Result<i64, DbError> {
    let of = D::OF;
    let sql = format!("-- ai.{of}s.count\nSELECT count(*) FROM ai.{of}s");
    Ok(query_scalar(&sql).fetch_one(tx.conn()).await?)
}

/// Keeps a new one as its first version.
pub(crate) async fn insert<D: Definition>(
    tx: &mut TenantTx,
    id: Uuid,
    (by, now): (UserId, DateTime<Utc>),
    name: &str,
    definition: &D,
) -> Result<Row<D>, sqlx::Error> {
    let of = D::OF;
    let sql = format!(
        "-- ai.{of}s.insert\n\
         WITH made AS ( \
           INSERT INTO ai.{of}s (id, name, definition, created_by, created_at, updated_at) \
           VALUES ($1, $2, $3, $4, $5, $5) RETURNING {COLUMNS} \
         ), kept AS ( \
           INSERT INTO ai.{of}_versions ({of}_id, version, definition, changed_by, changed_at) VALUES ($1, 1, $3, $4, $5) \
         ) SELECT {COLUMNS} FROM made"
    );
    query_as(&sql)
        .bind(id)
        .bind(name)
        .bind(Json(definition))
        .bind(by.as_uuid())
        .bind(now)
        .fetch_one(tx.conn())
        .await
}

/// The one of an id or a name.
pub(crate) async fn find<D: Definition>(
    tx: &mut TenantTx,
    named: &str,
) -> Result<Option<Row<D>>, DbError> {
    one(tx, named, "").await
}

/// The same, locked until the transaction ends.
pub(crate) async fn find_for_update<D: Definition>(
    tx: &mut TenantTx,
    named: &str,
) -> Result<Option<Row<D>>, DbError> {
    one(tx, named, "FOR UPDATE").await
}

async fn one<D: Definition>(
    tx: &mut TenantTx,
    named: &str,
    lock: &str,
) -> Result<Option<Row<D>>, DbError> {
    let id = Uuid::parse_str(named).ok();
    if id.is_none() && !is_name(named) {
        return Ok(None);
    }
    let of = D::OF;
    let column = if id.is_some() { "id = $1" } else { "name = $2" };
    let sql = format!(
        "-- ai.{of}s.find\n\
         SELECT {COLUMNS} FROM ai.{of}s WHERE {column} AND ($1::uuid IS NULL OR $2::text IS NULL) {lock}"
    );
    let name = id.is_none().then_some(named);
    let found = query_as(&sql).bind(id).bind(name);
    Ok(found.fetch_optional(tx.conn()).await?)
}

/// Makes a new version.
pub(crate) async fn update<D: Definition>(
    tx: &mut TenantTx,
    id: Uuid,
    (by, now): (UserId, DateTime<Utc>),
    definition: &D,
) -> Result<Row<D>, DbError> {
    let of = D::OF;
    let sql = format!(
        "-- ai.{of}s.update\n\
         WITH changed AS ( \
           UPDATE ai.{of}s SET definition = $2, updated_at = $4, version = version + 1 WHERE id = $1 RETURNING {COLUMNS} \
         ), kept AS ( \
           INSERT INTO ai.{of}_versions ({of}_id, version, definition, changed_by, changed_at) \
           SELECT id, version, $2, $3, $4 FROM changed \
         ) SELECT {COLUMNS} FROM changed"
    );
    let row = query_as(&sql)
        .bind(id)
        .bind(Json(definition))
        .bind(by.as_uuid())
        .bind(now);
    Ok(row.fetch_one(tx.conn()).await?)
}

/// Removes one with its versions.
pub(crate) async fn delete<D: Definition>(tx: &mut TenantTx, id: Uuid) -> Result<(), DbError> {
    let of = D::OF;
    let sql = format!("-- ai.{of}s.delete\nDELETE FROM ai.{of}s WHERE id = $1");
    query(&sql).bind(id).execute(tx.conn()).await?;
    Ok(())
}

/// The versions of one before a version, newest first.
pub(crate) async fn versions<D: Definition>(
    tx: &mut TenantTx,
    id: Uuid,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<VersionRow<D>>, DbError> {
    let of = D::OF;
    let sql = format!(
        "-- ai.{of}_versions.list\n\
         SELECT version, definition, changed_by, changed_at FROM ai.{of}_versions \
         WHERE {of}_id = $1 AND ($2::bigint IS NULL OR version < $2) ORDER BY version DESC LIMIT $3"
    );
    let rows = query_as(&sql).bind(id).bind(before).bind(limit);
    Ok(rows.fetch_all(tx.conn()).await?)
}
