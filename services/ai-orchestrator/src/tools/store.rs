//! SQL of tools.

use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, types::Json};
use uuid::Uuid;

use super::{OwnTool, Tool, ToolId, Toolbox, Usable};
use crate::agents::is_name;

/// A stored tool.
#[derive(FromRow)]
pub(crate) struct ToolRow {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(super) definition: Json<OwnTool>,
    header_names: Vec<String>,
    sealed: Option<Vec<u8>>,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    pub(super) version: i64,
}

const COLUMNS: &str =
    "id, name, definition, header_names, sealed, created_by, created_at, updated_at, version";

impl ToolRow {
    /// The tool, as this installation can use it.
    pub(super) fn into_tool(self, toolbox: &Toolbox) -> Tool {
        let spec = self.definition.0.into_spec(self.name);
        Tool {
            id: Some(ToolId::from_uuid(self.id)),
            header_names: self.header_names,
            built_in: false,
            available: toolbox.has(&spec.call),
            version: self.version,
            created_by: Some(UserId::from_uuid(self.created_by)),
            created_at: Some(self.created_at),
            updated_at: Some(self.updated_at),
            ..Tool::built_in(&spec)
        }
    }

    /// The tool for a run.
    pub(super) fn into_usable(self) -> Usable {
        let id = self.id;
        Usable {
            spec: self.definition.0.into_spec(self.name),
            sealed: self.sealed.map(|sealed| (id, sealed)),
        }
    }
}

/// How many tools the tenant has.
pub(super) async fn count(tx: &mut TenantTx) -> Result<i64, DbError> {
    let count = sqlx::query_scalar("-- ai.tools.count\nSELECT count(*) FROM ai.tools");
    Ok(count.fetch_one(tx.conn()).await?)
}

/// Headers: their names, and all of them sealed.
pub(crate) type Sealed = (Vec<String>, Option<Vec<u8>>);

pub(super) async fn insert(
    tx: &mut TenantTx,
    id: ToolId,
    (by, now): (UserId, DateTime<Utc>),
    (name, tool): (&str, &OwnTool),
    headers: &Sealed,
) -> Result<ToolRow, sqlx::Error> {
    let sql = format!(
        "-- ai.tools.insert\n\
         INSERT INTO ai.tools (id, name, definition, header_names, sealed, created_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING {COLUMNS}"
    );
    let row = query_as(&sql)
        .bind(id.as_uuid())
        .bind(name)
        .bind(Json(tool))
        .bind(&headers.0)
        .bind(&headers.1)
        .bind(by.as_uuid())
        .bind(now);
    row.fetch_one(tx.conn()).await
}

/// The tool of an id or a name.
pub(super) async fn find(tx: &mut TenantTx, named: &str) -> Result<Option<ToolRow>, DbError> {
    one(tx, named, "").await
}

pub(super) async fn find_for_update(
    tx: &mut TenantTx,
    named: &str,
) -> Result<Option<ToolRow>, DbError> {
    one(tx, named, "FOR UPDATE").await
}

async fn one(tx: &mut TenantTx, named: &str, lock: &str) -> Result<Option<ToolRow>, DbError> {
    let id = Uuid::parse_str(named).ok();
    if id.is_none() && !is_name(named) {
        return Ok(None);
    }
    let sql = format!(
        "-- ai.tools.find\n\
         SELECT {COLUMNS} FROM ai.tools WHERE ($1::uuid IS NOT NULL AND id = $1) OR ($1::uuid IS NULL AND name = $2) {lock}"
    );
    let found = query_as(&sql).bind(id).bind(named);
    Ok(found.fetch_optional(tx.conn()).await?)
}

/// The tools of these names.
pub(super) async fn named(tx: &mut TenantTx, names: &[String]) -> Result<Vec<ToolRow>, DbError> {
    let names: Vec<&String> = names.iter().filter(|name| is_name(name)).collect();
    let sql = format!("-- ai.tools.named\nSELECT {COLUMNS} FROM ai.tools WHERE name = ANY ($1)");
    let rows = query_as(&sql).bind(names);
    Ok(rows.fetch_all(tx.conn()).await?)
}

/// Tools behind a name, by name.
pub(super) async fn list(
    tx: &mut TenantTx,
    after: &str,
    limit: i64,
) -> Result<Vec<ToolRow>, DbError> {
    let sql = format!(
        "-- ai.tools.list\n\
         SELECT {COLUMNS} FROM ai.tools WHERE name COLLATE \"C\" > $1 ORDER BY name COLLATE \"C\" LIMIT $2"
    );
    let rows = query_as(&sql).bind(after).bind(limit);
    Ok(rows.fetch_all(tx.conn()).await?)
}

pub(super) async fn update(
    tx: &mut TenantTx,
    id: Uuid,
    now: DateTime<Utc>,
    tool: &OwnTool,
    headers: Option<&Sealed>,
) -> Result<ToolRow, DbError> {
    let sql = format!(
        "-- ai.tools.update\n\
         UPDATE ai.tools SET definition = $2, updated_at = $3, version = version + 1, \
           header_names = CASE WHEN $4 THEN $5 ELSE header_names END, sealed = CASE WHEN $4 THEN $6 ELSE sealed END \
         WHERE id = $1 RETURNING {COLUMNS}"
    );
    let row = query_as(&sql)
        .bind(id)
        .bind(Json(tool))
        .bind(now)
        .bind(headers.is_some())
        .bind(headers.map(|headers| headers.0.clone()))
        .bind(headers.and_then(|headers| headers.1.clone()));
    Ok(row.fetch_one(tx.conn()).await?)
}

pub(super) async fn delete(tx: &mut TenantTx, id: Uuid) -> Result<(), DbError> {
    let gone = query("-- ai.tools.delete\nDELETE FROM ai.tools WHERE id = $1");
    gone.bind(id).execute(tx.conn()).await?;
    Ok(())
}
