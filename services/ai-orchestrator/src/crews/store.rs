//! SQL of crews.

use bz_kernel::{CrewId, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, types::Json};
use uuid::Uuid;

use super::{Crew, CrewDefinition};

/// A stored crew.
#[derive(FromRow)]
pub(crate) struct CrewRow {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) definition: Json<CrewDefinition>,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    pub(crate) version: i64,
}

const COLUMNS: &str = "id, name, definition, created_by, created_at, updated_at, version";

impl From<CrewRow> for Crew {
    fn from(row: CrewRow) -> Self {
        Self {
            id: CrewId::from_uuid(row.id),
            name: row.name,
            definition: row.definition.0,
            version: row.version,
            created_by: UserId::from_uuid(row.created_by),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// How many crews the tenant has.
pub(super) async fn count(tx: &mut TenantTx) -> Result<i64, DbError> {
    let count = sqlx::query_scalar("-- ai.crews.count\nSELECT count(*) FROM ai.crews");
    Ok(count.fetch_one(tx.conn()).await?)
}

pub(super) async fn insert(
    tx: &mut TenantTx,
    id: CrewId,
    (by, now): (UserId, DateTime<Utc>),
    name: &str,
    definition: &CrewDefinition,
) -> Result<CrewRow, sqlx::Error> {
    let sql = format!(
        "-- ai.crews.insert\n\
         WITH made AS ( \
           INSERT INTO ai.crews (id, name, definition, created_by, created_at, updated_at) \
           VALUES ($1, $2, $3, $4, $5, $5) RETURNING {COLUMNS} \
         ), kept AS ( \
           INSERT INTO ai.crew_versions (crew_id, version, definition, changed_by, changed_at) VALUES ($1, 1, $3, $4, $5) \
         ) SELECT {COLUMNS} FROM made"
    );
    query_as(&sql)
        .bind(id.as_uuid())
        .bind(name)
        .bind(Json(definition))
        .bind(by.as_uuid())
        .bind(now)
        .fetch_one(tx.conn())
        .await
}

/// The crew of an id or a name.
pub(crate) async fn find(tx: &mut TenantTx, named: &str) -> Result<Option<CrewRow>, DbError> {
    one(tx, named, "").await
}

pub(super) async fn find_for_update(
    tx: &mut TenantTx,
    named: &str,
) -> Result<Option<CrewRow>, DbError> {
    one(tx, named, "FOR UPDATE").await
}

async fn one(tx: &mut TenantTx, named: &str, lock: &str) -> Result<Option<CrewRow>, DbError> {
    let id = Uuid::parse_str(named).ok();
    if id.is_none() && !crate::agents::is_name(named) {
        return Ok(None);
    }
    let column = if id.is_some() { "id = $1" } else { "name = $2" };
    let sql = format!(
        "-- ai.crews.find\n\
         SELECT {COLUMNS} FROM ai.crews WHERE {column} AND ($1::uuid IS NULL OR $2::text IS NULL) {lock}"
    );
    let name = id.is_none().then_some(named);
    let found = query_as(&sql).bind(id).bind(name);
    Ok(found.fetch_optional(tx.conn()).await?)
}

/// Crews behind one, newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<CrewRow>, DbError> {
    let sql = format!(
        "-- ai.crews.list\n\
         SELECT {COLUMNS} FROM ai.crews WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2"
    );
    let rows = query_as(&sql).bind(after).bind(limit);
    Ok(rows.fetch_all(tx.conn()).await?)
}

/// Makes a new version.
pub(super) async fn update(
    tx: &mut TenantTx,
    id: Uuid,
    (by, now): (UserId, DateTime<Utc>),
    definition: &CrewDefinition,
) -> Result<CrewRow, DbError> {
    let sql = format!(
        "-- ai.crews.update\n\
         WITH changed AS ( \
           UPDATE ai.crews SET definition = $2, updated_at = $4, version = version + 1 WHERE id = $1 RETURNING {COLUMNS} \
         ), kept AS ( \
           INSERT INTO ai.crew_versions (crew_id, version, definition, changed_by, changed_at) \
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

pub(super) async fn delete(tx: &mut TenantTx, id: Uuid) -> Result<(), DbError> {
    let gone = query("-- ai.crews.delete\nDELETE FROM ai.crews WHERE id = $1");
    gone.bind(id).execute(tx.conn()).await?;
    Ok(())
}

/// A version of a crew.
pub(super) type VersionRow = (i64, Json<CrewDefinition>, Uuid, DateTime<Utc>);

/// The versions of a crew before one, newest first.
pub(super) async fn versions(
    tx: &mut TenantTx,
    id: Uuid,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<VersionRow>, DbError> {
    let rows = query_as(
        "-- ai.crew_versions.list\n\
         SELECT version, definition, changed_by, changed_at FROM ai.crew_versions \
         WHERE crew_id = $1 AND ($2::bigint IS NULL OR version < $2) ORDER BY version DESC LIMIT $3",
    );
    let rows = rows.bind(id).bind(before).bind(limit);
    Ok(rows.fetch_all(tx.conn()).await?)
}
