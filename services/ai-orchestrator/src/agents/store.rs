//! SQL of agents that other definitions do not share.

use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use sqlx::query_as;

use super::{Agent, AgentDefinition, AgentId, AgentStatus};
use crate::definitions::{COLUMNS, Definition, Row};

impl Definition for AgentDefinition {
    const OF: &'static str = "agent";
}

impl Row<AgentDefinition> {
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

/// Agents behind a name, by name.
pub(super) async fn list(
    tx: &mut TenantTx,
    after: &str,
    limit: i64,
) -> Result<Vec<Row<AgentDefinition>>, DbError> {
    let sql = format!(
        "-- ai.agents.list\n\
         SELECT {COLUMNS} FROM ai.agents WHERE name COLLATE \"C\" > $1 ORDER BY name COLLATE \"C\" LIMIT $2"
    );
    let rows = query_as(&sql).bind(after).bind(limit);
    Ok(rows.fetch_all(tx.conn()).await?)
}
