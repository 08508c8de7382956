//! SQL of crews that other definitions do not share.

use bz_kernel::{CrewId, UserId};
use bz_tenant::{DbError, TenantTx};
use sqlx::query_as;
use uuid::Uuid;

use super::{Crew, CrewDefinition};
use crate::definitions::{COLUMNS, Definition, Row};

impl Definition for CrewDefinition {
    const OF: &'static str = "crew";
}

impl From<Row<CrewDefinition>> for Crew {
    fn from(row: Row<CrewDefinition>) -> Self {
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

/// Crews behind one, newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Row<CrewDefinition>>, DbError> {
    let sql = format!(
        "-- ai.crews.list\n\
         SELECT {COLUMNS} FROM ai.crews WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2"
    );
    let rows = query_as(&sql).bind(after).bind(limit);
    Ok(rows.fetch_all(tx.conn()).await?)
}
