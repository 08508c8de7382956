//! SQL of data sources.

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{FromRow, query, query_as, query_scalar, types::Json};
use uuid::Uuid;

use super::{
    read::Reading,
    resource::{CreateDataSource, DataSource, Pull, SourceKind},
};

/// A source as it stands in the table.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct SourceRow {
    pub id: Uuid,
    pub name: String,
    pub kind: String,
    pub dataset: String,
    pub reading: Json<Reading>,
    pub pull: Option<Json<Pull>>,
    pub header_names: Vec<String>,
    pub sealed: Option<Vec<u8>>,
    pub enabled: bool,
    pub cursor: Option<NaiveDate>,
    pub next_sync_at: Option<DateTime<Utc>>,
    pub created_by: Uuid,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

impl From<SourceRow> for DataSource {
    fn from(row: SourceRow) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            kind: if row.kind == SourceKind::Http.as_str() {
                SourceKind::Http
            } else {
                SourceKind::Upload
            },
            dataset: row.dataset,
            reading: row.reading.0,
            pull: row.pull.map(|pull| pull.0),
            header_names: row.header_names,
            enabled: row.enabled,
            cursor: row.cursor,
            next_sync_at: row.next_sync_at,
            created_by: row.created_by.into(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

const COLUMNS: &str = "id, name, kind, dataset, reading, pull, header_names, sealed, enabled, cursor, next_sync_at, created_by, \
     created_at, updated_at, version";

/// The headers of a source as they are kept: their names, and all of it sealed.
pub(crate) type Sealed = (Vec<String>, Option<Vec<u8>>);

pub(crate) async fn count(tx: &mut TenantTx) -> Result<i64, DbError> {
    let sql = "-- analytics.data_sources.count\nSELECT count(*) FROM analytics.data_sources";
    Ok(query_scalar(sql).fetch_one(tx.conn()).await?)
}

/// Writes a new source down; none when another one has the name.
pub(crate) async fn insert(
    tx: &mut TenantTx,
    (id, by, now): (Uuid, Uuid, DateTime<Utc>),
    wanted: &CreateDataSource,
    (names, sealed): &Sealed,
) -> Result<Option<SourceRow>, DbError> {
    let sql = format!(
        "-- analytics.data_sources.insert\n\
         INSERT INTO analytics.data_sources (id, name, kind, dataset, reading, pull, header_names, sealed, next_sync_at, \
           created_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) \
         ON CONFLICT (tenant_id, name) DO NOTHING RETURNING {COLUMNS}"
    );
    let every = wanted.pull.as_ref().and_then(|pull| pull.every_minutes);
    Ok(query_as(&sql)
        .bind(id)
        .bind(wanted.name.trim())
        .bind(wanted.kind.as_str())
        .bind(&wanted.dataset)
        .bind(Json(&wanted.reading))
        .bind(wanted.pull.as_ref().map(Json))
        .bind(names)
        .bind(sealed)
        .bind(every.map(|_| now))
        .bind(by)
        .bind(now)
        .fetch_optional(tx.conn())
        .await?)
}

pub(crate) async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<SourceRow>, DbError> {
    let sql = format!(
        "-- analytics.data_sources.find\nSELECT {COLUMNS} FROM analytics.data_sources WHERE id = $1"
    );
    Ok(query_as(&sql).bind(id).fetch_optional(tx.conn()).await?)
}

/// The same, locked until the transaction ends.
pub(crate) async fn lock(tx: &mut TenantTx, id: Uuid) -> Result<Option<SourceRow>, DbError> {
    let sql = format!(
        "-- analytics.data_sources.lock\nSELECT {COLUMNS} FROM analytics.data_sources WHERE id = $1 FOR UPDATE"
    );
    Ok(query_as(&sql).bind(id).fetch_optional(tx.conn()).await?)
}

/// Sources, newest first, one more than the page has.
pub(crate) async fn list(
    tx: &mut TenantTx,
    after: Option<Uuid>,
    limit: u16,
) -> Result<Vec<SourceRow>, DbError> {
    let sql = format!(
        "-- analytics.data_sources.list\n\
         SELECT {COLUMNS} FROM analytics.data_sources WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2"
    );
    Ok(query_as(&sql)
        .bind(after)
        .bind(i64::from(limit) + 1)
        .fetch_all(tx.conn())
        .await?)
}

/// Writes a changed source; none when another one has the name.
pub(crate) async fn update(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    row: &SourceRow,
) -> Result<Option<SourceRow>, DbError> {
    let sql = format!(
        "-- analytics.data_sources.update\n\
         UPDATE analytics.data_sources SET name = $2, reading = $3, pull = $4, header_names = $5, sealed = $6, enabled = $7, \
           next_sync_at = $8, updated_at = $9, version = version + 1 \
         WHERE id = $1 AND NOT EXISTS (SELECT FROM analytics.data_sources AS o WHERE o.name = $2 AND o.id <> $1) \
         RETURNING {COLUMNS}"
    );
    Ok(query_as(&sql)
        .bind(row.id)
        .bind(&row.name)
        .bind(&row.reading)
        .bind(&row.pull)
        .bind(&row.header_names)
        .bind(&row.sealed)
        .bind(row.enabled)
        .bind(row.next_sync_at)
        .bind(now)
        .fetch_optional(tx.conn())
        .await?)
}

/// Deletes a source with its runs. What it told stays, or goes with it.
pub(crate) async fn delete(tx: &mut TenantTx, id: Uuid, with_data: bool) -> Result<(), DbError> {
    let mut all =
        vec!["-- analytics.data_sources.delete\nDELETE FROM analytics.data_sources WHERE id = $1"];
    if with_data {
        all.extend([
            "-- analytics.facts.delete_of_source\nDELETE FROM analytics.facts WHERE source_id = $1",
            "-- analytics.orders.delete_of_source\nDELETE FROM analytics.orders WHERE source_id = $1",
            "-- analytics.deal_stages.delete_of_source\nDELETE FROM analytics.deal_stages WHERE source = $1::text",
            "-- analytics.deals.delete_of_source\nDELETE FROM analytics.deals WHERE source = $1::text",
        ]);
    }
    for sql in all {
        query(sql).bind(id).execute(tx.conn()).await?;
    }
    Ok(())
}

/// When a source is asked next, and up to which day it was asked.
pub(crate) async fn schedule(
    tx: &mut TenantTx,
    id: Uuid,
    next: Option<DateTime<Utc>>,
    cursor: Option<NaiveDate>,
) -> Result<(), DbError> {
    query(
        "-- analytics.data_sources.schedule\n\
         UPDATE analytics.data_sources SET next_sync_at = $2, cursor = coalesce($3, cursor) WHERE id = $1",
    )
    .bind(id)
    .bind(next)
    .bind(cursor)
    .execute(tx.conn())
    .await?;
    Ok(())
}
