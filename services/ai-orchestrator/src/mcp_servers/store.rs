//! SQL of servers.

use bz_kernel::{Sealer, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use http::HeaderMap;
use sqlx::{FromRow, query, query_as, types::Json};
use uuid::Uuid;

use super::{McpPeer, McpServer, McpServerSettings};
use crate::{
    agents::is_name,
    mcp::McpServerId,
    tools::{self, store::Sealed},
};

/// A stored server.
#[derive(FromRow)]
pub(super) struct McpServerRow {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) url: String,
    header_names: Vec<String>,
    sealed: Option<Vec<u8>>,
    enabled: bool,
    pub(super) timeout_seconds: i32,
    peer: Option<Json<McpPeer>>,
    refreshed_at: Option<DateTime<Utc>>,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    pub(super) version: i64,
}

const COLUMNS: &str = "id, name, url, header_names, sealed, enabled, timeout_seconds, peer, refreshed_at, created_by, \
     created_at, updated_at, version";

impl McpServerRow {
    pub(super) const fn server_id(&self) -> McpServerId {
        McpServerId::from_uuid(self.id)
    }

    /// The headers, opened.
    pub(super) fn headers(&self, secrets: &Sealer) -> HeaderMap {
        let sealed = self.sealed.as_deref();
        sealed.map_or_else(HeaderMap::new, |sealed| {
            tools::opened(secrets, (self.id, sealed), &self.name)
        })
    }
}

impl From<McpServerRow> for McpServer {
    fn from(row: McpServerRow) -> Self {
        Self {
            id: row.server_id(),
            name: row.name,
            url: row.url,
            header_names: row.header_names,
            enabled: row.enabled,
            timeout_seconds: row.timeout_seconds,
            peer: row.peer.map(|peer| peer.0),
            refreshed_at: row.refreshed_at,
            version: row.version,
            created_by: UserId::from_uuid(row.created_by),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// How many servers the tenant has.
pub(super) async fn count(tx: &mut TenantTx) -> Result<i64, DbError> {
    let count = sqlx::query_scalar("-- ai.mcp_servers.count\nSELECT count(*) FROM ai.mcp_servers");
    Ok(count.fetch_one(tx.conn()).await?)
}

pub(super) async fn insert(
    tx: &mut TenantTx,
    id: McpServerId,
    (by, now): (UserId, DateTime<Utc>),
    (name, settings): (&str, &McpServerSettings),
    headers: &Sealed,
) -> Result<McpServerRow, sqlx::Error> {
    let sql = format!(
        "-- ai.mcp_servers.insert\n\
         INSERT INTO ai.mcp_servers \
           (id, name, url, enabled, timeout_seconds, header_names, sealed, created_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) RETURNING {COLUMNS}"
    );
    let row = query_as(&sql)
        .bind(id.as_uuid())
        .bind(name)
        .bind(&settings.url)
        .bind(settings.enabled)
        .bind(settings.timeout_seconds)
        .bind(&headers.0)
        .bind(&headers.1)
        .bind(by.as_uuid())
        .bind(now);
    row.fetch_one(tx.conn()).await
}

/// The server of an id or a name.
pub(super) async fn find(tx: &mut TenantTx, named: &str) -> Result<Option<McpServerRow>, DbError> {
    one(tx, named, "").await
}

pub(super) async fn find_for_update(
    tx: &mut TenantTx,
    named: &str,
) -> Result<Option<McpServerRow>, DbError> {
    one(tx, named, "FOR UPDATE").await
}

async fn one(tx: &mut TenantTx, named: &str, lock: &str) -> Result<Option<McpServerRow>, DbError> {
    let id = Uuid::parse_str(named).ok();
    if id.is_none() && !is_name(named) {
        return Ok(None);
    }
    let sql = format!(
        "-- ai.mcp_servers.find\n\
         SELECT {COLUMNS} FROM ai.mcp_servers \
         WHERE ($1::uuid IS NOT NULL AND id = $1) OR ($1::uuid IS NULL AND name = $2) {lock}"
    );
    let found = query_as(&sql).bind(id).bind(named);
    Ok(found.fetch_optional(tx.conn()).await?)
}

/// Servers behind one, newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<McpServerRow>, DbError> {
    let sql = format!(
        "-- ai.mcp_servers.list\n\
         SELECT {COLUMNS} FROM ai.mcp_servers WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2"
    );
    let rows = query_as(&sql).bind(after).bind(limit);
    Ok(rows.fetch_all(tx.conn()).await?)
}

pub(super) async fn update(
    tx: &mut TenantTx,
    id: Uuid,
    now: DateTime<Utc>,
    settings: &McpServerSettings,
    headers: Option<&Sealed>,
) -> Result<McpServerRow, DbError> {
    let sql = format!(
        "-- ai.mcp_servers.update\n\
         UPDATE ai.mcp_servers SET url = $2, enabled = $3, timeout_seconds = $4, updated_at = $5, version = version + 1, \
           header_names = CASE WHEN $6 THEN $7 ELSE header_names END, sealed = CASE WHEN $6 THEN $8 ELSE sealed END \
         WHERE id = $1 RETURNING {COLUMNS}"
    );
    let row = query_as(&sql)
        .bind(id)
        .bind(&settings.url)
        .bind(settings.enabled)
        .bind(settings.timeout_seconds)
        .bind(now)
        .bind(headers.is_some())
        .bind(headers.map(|headers| headers.0.clone()))
        .bind(headers.and_then(|headers| headers.1.clone()));
    Ok(row.fetch_one(tx.conn()).await?)
}

/// Forgets what a server told, and its tools.
pub(super) async fn forget_peer(tx: &mut TenantTx, id: Uuid) -> Result<(), DbError> {
    let tools = query(
        "-- ai.mcp_servers.forget_peer\n\
         WITH gone AS (DELETE FROM ai.mcp_tools WHERE server_id = $1) \
         UPDATE ai.mcp_servers SET peer = NULL, refreshed_at = NULL WHERE id = $1",
    );
    tools.bind(id).execute(tx.conn()).await?;
    Ok(())
}

/// Writes what a server told of itself.
pub(super) async fn refreshed(
    tx: &mut TenantTx,
    id: Uuid,
    now: DateTime<Utc>,
    peer: &McpPeer,
) -> Result<McpServerRow, DbError> {
    let sql = format!(
        "-- ai.mcp_servers.refreshed\n\
         UPDATE ai.mcp_servers SET peer = $2, refreshed_at = $3, version = version + 1 WHERE id = $1 RETURNING {COLUMNS}"
    );
    let row = query_as(&sql).bind(id).bind(Json(peer)).bind(now);
    Ok(row.fetch_one(tx.conn()).await?)
}

pub(super) async fn delete(tx: &mut TenantTx, id: Uuid) -> Result<(), DbError> {
    let gone = query("-- ai.mcp_servers.delete\nDELETE FROM ai.mcp_servers WHERE id = $1");
    gone.bind(id).execute(tx.conn()).await?;
    Ok(())
}
