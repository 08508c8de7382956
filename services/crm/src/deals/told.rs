//! What events say of deals: all that reports count by. Names of stages and pipelines, ids of people; no other names.

use std::collections::HashMap;

use bz_events::NewEvent;
use bz_tenant::{DbError, TenantTx};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::records::{Work, sql::Sql};

/// Deals that an import wrote, together.
const IMPORTED: &str = "deals.imported";
/// How many of them one event tells of.
const TOGETHER: usize = 200;

/// What is told of each deal.
pub(crate) async fn details(
    tx: &mut TenantTx,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Map<String, Value>>, DbError> {
    let mut sql = Sql::new(
        "-- crm.deals.told\n\
         SELECT d.id, jsonb_build_object('pipeline', p.name, 'stage', s.name, 'owner_id', d.owner_id, \
           'amount', d.amount::text, 'currency', d.amount_currency, 'probability', coalesce(d.probability, s.probability), \
           'created_at', d.created_at, 'stage_entered_at', d.stage_entered_at, 'closed_at', d.closed_at, \
           'lead_source', l.source, 'version', d.version, 'status', d.status) \
         FROM crm.deals AS d \
         JOIN crm.stages AS s ON s.id = d.stage_id JOIN crm.pipelines AS p ON p.id = d.pipeline_id \
         LEFT JOIN crm.leads AS l ON l.id = d.lead_id \
         WHERE d.id = ANY(",
    );
    sql.bind(ids.to_vec()).push(")");
    let rows: Vec<(Uuid, sqlx::types::Json<Map<String, Value>>)> = sql.fetch_all(tx).await?;
    Ok(rows.into_iter().map(|(id, told)| (id, told.0)).collect())
}

/// Tells of deals that an import wrote.
pub(crate) async fn imported(work: &mut Work<'_>, ids: &[Uuid]) -> Result<(), DbError> {
    for some in ids.chunks(TOGETHER) {
        let deals: Vec<Value> = details(work.tx, some)
            .await?
            .into_iter()
            .map(|(id, mut told)| {
                told.insert("id".into(), json!(id));
                Value::Object(told)
            })
            .collect();
        let event = NewEvent {
            kind: IMPORTED,
            actor: Some(work.actor),
            data: json!({ "deals": deals }),
        };
        bz_events::append(work.tx, &work.app.core.sources, event).await?;
    }
    Ok(())
}
