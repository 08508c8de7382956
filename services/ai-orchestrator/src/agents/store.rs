//! SQL of agents.

use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, types::Json};
use uuid::Uuid;

use super::{Agent, AgentDefinition, AgentId, AgentStatus};

/// A stored agent.
#[derive(FromRow)]
pub(crate) struct AgentRow {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) definition: Json<AgentDefinition>,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    pub(crate) version: i64,
}

const COLUMNS: &str = "id, name, definition, created_by, created_at, updated_at, version";

impl AgentRow {
    /// The agent, which does this.
    pub(super) fn with(self, status: AgentStatus) -> Agent {
        Agent {
            id: Some(AgentId::from_uuid(self.id)),
            name: self.name,
            definition: self.definition.0,
            ready: false,
            status,
            version: self.version,
            created_by: Some(UserId::from_uuid(self.created_by)),
            created_at: Some(self.created_at),
            updated_at: Some(self.updated_at),
        }
    }
}

/// How many agents the tenant has.
pub(super) async fn count(tx: &mut TenantTx) -> Result<i64, DbError> {
    let count = sqlx::query_scalar("-- ai.agents.count\nSELECT count(*) FROM ai.agents");
    Ok(count.fetch_one(tx.conn()).await?)
}

pub(super) async fn insert(
    tx: &mut TenantTx,
    id: AgentId,
    (by, now): (UserId, DateTime<Utc>),
    name: &str,
    definition: &AgentDefinition,
) -> Result<AgentRow, sqlx::Error> {
    let sql = format!(
        "-- ai.agents.insert\n\
         WITH made AS ( \
           INSERT INTO ai.agents (id, name, definition, created_by, created_at, updated_at) \
           VALUES ($1, $2, $3, $4, $5, $5) RETURNING {COLUMNS} \
         ), kept AS ( \
           INSERT INTO ai.agent_versions (agent_id, version, definition, changed_by, changed_at) VALUES ($1, 1, $3, $4, $5) \
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

/// The agent of an id or a name.
pub(crate) async fn find(tx: &mut TenantTx, named: &str) -> Result<Option<AgentRow>, DbError> {
    one(tx, named, "").await
}

pub(super) async fn find_for_update(
    tx: &mut TenantTx,
    named: &str,
) -> Result<Option<AgentRow>, DbError> {
    one(tx, named, "FOR UPDATE").await
}

async fn one(tx: &mut TenantTx, named: &str, lock: &str) -> Result<Option<AgentRow>, DbError> {
    let id = Uuid::parse_str(named).ok();
    if id.is_none() && !super::is_name(named) {
        return Ok(None);
    }
    let column = if id.is_some() { "id = $1" } else { "name = $2" };
    let sql = format!(
        "-- ai.agents.find\n\
         SELECT {COLUMNS} FROM ai.agents WHERE {column} AND ($1::uuid IS NULL OR $2::text IS NULL) {lock}"
    );
    let name = id.is_none().then_some(named);
    let found = query_as(&sql).bind(id).bind(name);
    Ok(found.fetch_optional(tx.conn()).await?)
}

/// Agents behind a name, by name.
pub(super) async fn list(
    tx: &mut TenantTx,
    after: &str,
    limit: i64,
) -> Result<Vec<AgentRow>, DbError> {
    let sql = format!(
        "-- ai.agents.list\n\
         SELECT {COLUMNS} FROM ai.agents WHERE name COLLATE \"C\" > $1 ORDER BY name COLLATE \"C\" LIMIT $2"
    );
    let rows = query_as(&sql).bind(after).bind(limit);
    Ok(rows.fetch_all(tx.conn()).await?)
}

/// Makes a new version.
pub(super) async fn update(
    tx: &mut TenantTx,
    id: Uuid,
    (by, now): (UserId, DateTime<Utc>),
    definition: &AgentDefinition,
) -> Result<AgentRow, DbError> {
    let sql = format!(
        "-- ai.agents.update\n\
         WITH changed AS ( \
           UPDATE ai.agents SET definition = $2, updated_at = $4, version = version + 1 WHERE id = $1 RETURNING {COLUMNS} \
         ), kept AS ( \
           INSERT INTO ai.agent_versions (agent_id, version, definition, changed_by, changed_at) \
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
    let gone = query("-- ai.agents.delete\nDELETE FROM ai.agents WHERE id = $1");
    gone.bind(id).execute(tx.conn()).await?;
    Ok(())
}

/// A version of an agent.
pub(super) type VersionRow = (i64, Json<AgentDefinition>, Uuid, DateTime<Utc>);

/// The versions of an agent before one, newest first.
pub(super) async fn versions(
    tx: &mut TenantTx,
    id: Uuid,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<VersionRow>, DbError> {
    let rows = query_as(
        "-- ai.agent_versions.list\n\
         SELECT version, definition, changed_by, changed_at FROM ai.agent_versions \
         WHERE agent_id = $1 AND ($2::bigint IS NULL OR version < $2) ORDER BY version DESC LIMIT $3",
    );
    let rows = rows.bind(id).bind(before).bind(limit);
    Ok(rows.fetch_all(tx.conn()).await?)
}
