//! SQL of the tools of servers.

use std::collections::BTreeMap;

use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, query_scalar, types::Json};
use uuid::Uuid;

use super::{McpTool, McpToolApproval, McpToolDefinition, McpToolState, Offered};
use crate::tools::Effect;

/// A stored tool, with the name of its server.
#[derive(FromRow)]
pub(super) struct McpToolRow {
    server: String,
    pub(super) name: String,
    pub(super) definition: Json<McpToolDefinition>,
    pub(super) fingerprint: String,
    pub(super) fault: Option<String>,
    seen_at: DateTime<Utc>,
    approved_fingerprint: Option<String>,
    approved: Option<Json<McpToolDefinition>>,
    approved_effect: Option<String>,
    approved_by: Option<Uuid>,
    approved_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "s.name AS server, t.name, t.definition, t.fingerprint, t.fault, t.seen_at, t.approved_fingerprint, \
     t.approved, t.approved_effect, t.approved_by, t.approved_at";

impl McpToolRow {
    fn approval(&mut self) -> Option<McpToolApproval> {
        Some(McpToolApproval {
            definition: self.approved.take()?.0,
            fingerprint: self.approved_fingerprint.take()?,
            effect: effect(self.approved_effect.as_deref()),
            by: UserId::from_uuid(self.approved_by?),
            at: self.approved_at?,
        })
    }
}

impl From<McpToolRow> for McpTool {
    fn from(mut row: McpToolRow) -> Self {
        let approval = row.approval();
        let state = match &approval {
            _ if row.fault.is_some() => McpToolState::Unusable,
            None => McpToolState::Unapproved,
            Some(approval) if approval.fingerprint == row.fingerprint => McpToolState::Approved,
            Some(_) => McpToolState::Changed,
        };
        let hinted = row.definition.effect();
        let approved = approval
            .as_ref()
            .filter(|_| state == McpToolState::Approved);
        Self {
            tool: format!("{}{}.{}", super::usable::PREFIX, row.server, row.name),
            name: row.name,
            state,
            effect: approved.map_or(hinted, |approval| approval.effect),
            definition: row.definition.0,
            fingerprint: row.fingerprint,
            fault: row.fault,
            approval,
            seen_at: row.seen_at,
        }
    }
}

/// An effect of the store; the worst when it says nothing.
pub(super) fn effect(text: Option<&str>) -> Effect {
    match text {
        Some("read") => Effect::Read,
        Some("write") => Effect::Write,
        _ => Effect::Destructive,
    }
}

const fn text(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "read",
        Effect::Write => "write",
        Effect::Destructive => "destructive",
    }
}

/// Writes what a server offers. Answers the names of tools that are new, not what they were, and gone.
pub(in crate::mcp_servers) async fn take(
    tx: &mut TenantTx,
    server: Uuid,
    now: DateTime<Utc>,
    offered: &[Offered],
) -> Result<(Vec<String>, Vec<String>, Vec<String>), DbError> {
    let before = query_as(
        "-- ai.mcp_tools.fingerprints\n\
         SELECT name, fingerprint FROM ai.mcp_tools WHERE server_id = $1 ORDER BY name COLLATE \"C\"",
    );
    let before: Vec<(String, String)> = before.bind(server).fetch_all(tx.conn()).await?;
    let before: BTreeMap<&str, &str> = before
        .iter()
        .map(|(name, print)| (name.as_str(), print.as_str()))
        .collect();
    let (mut added, mut changed) = (Vec::new(), Vec::new());
    for tool in offered {
        match before.get(tool.name.as_str()) {
            None => added.push(tool.name.clone()),
            Some(print) if *print != tool.fingerprint => changed.push(tool.name.clone()),
            Some(_) => {}
        }
    }
    let names: Vec<&str> = offered.iter().map(|tool| tool.name.as_str()).collect();
    let gone = query_scalar(
        "-- ai.mcp_tools.remove\n\
         DELETE FROM ai.mcp_tools WHERE server_id = $1 AND name <> ALL ($2) RETURNING name",
    );
    let removed = gone.bind(server).bind(&names).fetch_all(tx.conn()).await?;
    let put = query(
        "-- ai.mcp_tools.put\n\
         INSERT INTO ai.mcp_tools (server_id, name, kind, definition, fingerprint, fault, seen_at) \
         SELECT $1, name, kind, definition, fingerprint, fault, $3 FROM jsonb_to_recordset($2) \
           AS offered (name text, kind text, definition jsonb, fingerprint text, fault text) \
         ON CONFLICT (tenant_id, server_id, name) DO UPDATE SET kind = excluded.kind, definition = excluded.definition, \
           fingerprint = excluded.fingerprint, fault = excluded.fault, seen_at = excluded.seen_at",
    );
    put.bind(server)
        .bind(Json(offered))
        .bind(now)
        .execute(tx.conn())
        .await?;
    Ok((added, changed, removed))
}

/// Tools of a server behind a name, by name.
pub(super) async fn list(
    tx: &mut TenantTx,
    server: Uuid,
    after: &str,
    limit: i64,
) -> Result<Vec<McpToolRow>, DbError> {
    let sql = format!(
        "-- ai.mcp_tools.list\n\
         SELECT {COLUMNS} FROM ai.mcp_tools t JOIN ai.mcp_servers s ON s.id = t.server_id \
         WHERE t.server_id = $1 AND t.name COLLATE \"C\" > $2 ORDER BY t.name COLLATE \"C\" LIMIT $3"
    );
    let rows = query_as(&sql).bind(server).bind(after).bind(limit);
    Ok(rows.fetch_all(tx.conn()).await?)
}

/// The tool of a name, to be changed.
pub(super) async fn find_for_update(
    tx: &mut TenantTx,
    server: Uuid,
    name: &str,
) -> Result<Option<McpToolRow>, DbError> {
    if name.contains('\0') {
        return Ok(None);
    }
    let sql = format!(
        "-- ai.mcp_tools.find\n\
         SELECT {COLUMNS} FROM ai.mcp_tools t JOIN ai.mcp_servers s ON s.id = t.server_id \
         WHERE t.server_id = $1 AND t.name = $2 FOR UPDATE OF t"
    );
    let found = query_as(&sql).bind(server).bind(name);
    Ok(found.fetch_optional(tx.conn()).await?)
}

/// Writes an approval of what the tool is now.
pub(super) async fn approve(
    tx: &mut TenantTx,
    (server, name): (Uuid, &str),
    (by, now): (UserId, DateTime<Utc>),
    effect: Effect,
) -> Result<McpToolRow, DbError> {
    let sql = format!(
        "-- ai.mcp_tools.approve\n\
         UPDATE ai.mcp_tools t SET approved_fingerprint = t.fingerprint, approved = t.definition, approved_effect = $3, \
           approved_by = $4, approved_at = $5 \
         FROM ai.mcp_servers s WHERE s.id = t.server_id AND t.server_id = $1 AND t.name = $2 RETURNING {COLUMNS}"
    );
    let row = query_as(&sql)
        .bind(server)
        .bind(name)
        .bind(text(effect))
        .bind(by.as_uuid())
        .bind(now);
    Ok(row.fetch_one(tx.conn()).await?)
}

/// Takes an approval back.
pub(super) async fn revoke(
    tx: &mut TenantTx,
    (server, name): (Uuid, &str),
) -> Result<McpToolRow, DbError> {
    let sql = format!(
        "-- ai.mcp_tools.revoke\n\
         UPDATE ai.mcp_tools t SET approved_fingerprint = NULL, approved = NULL, approved_effect = NULL, approved_by = NULL, \
           approved_at = NULL \
         FROM ai.mcp_servers s WHERE s.id = t.server_id AND t.server_id = $1 AND t.name = $2 RETURNING {COLUMNS}"
    );
    let row = query_as(&sql).bind(server).bind(name);
    Ok(row.fetch_one(tx.conn()).await?)
}
