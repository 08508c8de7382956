//! Tools of servers as agents use them: those that are approved as they are, of servers that are enabled. What a model reads is
//! the definition that was approved, whatever the server says meanwhile.

use bz_tenant::{DbError, TenantTx};
use sqlx::{FromRow, query_as, types::Json};
use uuid::Uuid;

use super::{McpToolDefinition, store::effect};
use crate::{
    mcp::McpServerId,
    tools::{Effect, Target, Tool, ToolSpec, Usable},
};

/// What the names of these tools begin with.
pub(crate) const PREFIX: &str = "mcp.";

#[derive(FromRow)]
struct UsableRow {
    server: String,
    server_id: Uuid,
    url: String,
    header_names: Vec<String>,
    sealed: Option<Vec<u8>>,
    enabled: bool,
    timeout_seconds: i32,
    name: String,
    kind: String,
    definition: Json<McpToolDefinition>,
    approved_effect: Option<String>,
}

const COLUMNS: &str = "s.name AS server, s.id AS server_id, s.url, s.header_names, s.sealed, s.enabled, s.timeout_seconds, \
     t.name, t.kind, t.definition, t.approved_effect";
const APPROVED: &str = "ai.mcp_tools t JOIN ai.mcp_servers s ON s.id = t.server_id \
     WHERE t.approved_fingerprint = t.fingerprint AND t.fault IS NULL";

impl UsableRow {
    fn spec(&self) -> ToolSpec {
        let effect = effect(self.approved_effect.as_deref());
        let definition = &self.definition.0;
        ToolSpec {
            name: format!("{PREFIX}{}.{}", self.server, self.name),
            title: definition.title.clone(),
            description: definition.description.clone(),
            effect,
            // Whether a server tells a repeat nobody knows; hints are not believed that far.
            idempotent: effect == Effect::Read,
            timeout_seconds: self.timeout_seconds.unsigned_abs(),
            permission: None,
            parameters: definition.input_schema.clone(),
            call: Target::Mcp {
                server_id: McpServerId::from_uuid(self.server_id),
                url: self.url.clone(),
                tool: (self.kind == "tool").then(|| self.name.clone()),
            },
        }
    }

    fn tool(self) -> Tool {
        Tool {
            header_names: self.header_names.clone(),
            built_in: false,
            available: self.enabled,
            ..Tool::built_in(&self.spec())
        }
    }
}

/// The tools of these names that runs may use.
pub(crate) async fn usable(tx: &mut TenantTx, names: &[String]) -> Result<Vec<Usable>, DbError> {
    let ours = names.iter().filter_map(|name| parts(name));
    let (servers, tools): (Vec<&str>, Vec<&str>) = ours.unzip();
    if servers.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "-- ai.mcp_tools.usable\n\
         SELECT {COLUMNS} FROM {APPROVED} AND s.enabled \
         AND (s.name, t.name) IN (SELECT * FROM unnest($1::text[], $2::text[]))"
    );
    let rows: Vec<UsableRow> = query_as(&sql)
        .bind(servers)
        .bind(tools)
        .fetch_all(tx.conn())
        .await?;
    let usable = rows.into_iter().map(|row| Usable {
        spec: row.spec(),
        sealed: row.sealed.map(|sealed| (row.server_id, sealed)),
    });
    Ok(usable.collect())
}

/// An approved tool, whether its server is enabled or not.
pub(crate) async fn tool(tx: &mut TenantTx, name: &str) -> Result<Option<Tool>, DbError> {
    let Some((server, tool)) = parts(name) else {
        return Ok(None);
    };
    let sql = format!(
        "-- ai.mcp_tools.tool\nSELECT {COLUMNS} FROM {APPROVED} AND s.name = $1 AND t.name = $2"
    );
    let found = query_as(&sql).bind(server).bind(tool);
    let found: Option<UsableRow> = found.fetch_optional(tx.conn()).await?;
    Ok(found.map(UsableRow::tool))
}

/// Approved tools behind a name, by name.
pub(crate) async fn tools_behind(
    tx: &mut TenantTx,
    after: &str,
    limit: i64,
) -> Result<Vec<Tool>, DbError> {
    let (server, tool) = parts(after).unwrap_or_default();
    let sql = format!(
        "-- ai.mcp_tools.behind\n\
         SELECT {COLUMNS} FROM {APPROVED} \
         AND (s.name COLLATE \"C\" > $1 OR (s.name = $1 AND t.name COLLATE \"C\" > $2)) \
         ORDER BY s.name COLLATE \"C\", t.name COLLATE \"C\" LIMIT $3"
    );
    let rows = query_as(&sql).bind(server).bind(tool).bind(limit);
    let rows: Vec<UsableRow> = rows.fetch_all(tx.conn()).await?;
    Ok(rows.into_iter().map(UsableRow::tool).collect())
}

/// Server and tool of a name.
fn parts(name: &str) -> Option<(&str, &str)> {
    let parts = name.strip_prefix(PREFIX)?.split_once('.')?;
    (!name.contains('\0')).then_some(parts)
}
