//! Documents that are written a moment later: those of imports and other statements that write more records at once than
//! a person does.

use std::time::Duration;

use bz_kernel::TenantId;
use bz_service::{Core, Job, Pace};
use bz_tenant::{DbError, TenantScope, TenantTx};
use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use crate::records::{self, RecordType};

/// Documents that one transaction writes; no more than the triggers write at once (`search_at_once`).
const BATCH: i64 = 500;
/// How often the backlog is looked at when it was empty, and the pause after a failure.
const PACE: Pace = Pace {
    idle: Duration::from_secs(1),
    failed: Duration::from_secs(10),
};

/// The job that writes them.
pub(crate) fn job(core: &Core) -> Job {
    let core = core.clone();
    Job::in_turns("search-backlog", PACE, move |_| turn(core.clone()))
}

/// Queues the records of a type that have a value of one of the tenant's own fields, when the search begins or ends to
/// look at it.
pub(crate) async fn queue(
    tx: &mut TenantTx,
    record: &RecordType,
    key: &str,
) -> Result<(), DbError> {
    let table = record.table;
    let sql = format!(
        "-- crm.search_backlog.queue\n\
         INSERT INTO crm.search_backlog (record_type, record_id) \
         SELECT $1, id FROM {table} WHERE deleted_at IS NULL AND custom ? $2 ON CONFLICT DO NOTHING"
    );
    query(&sql)
        .bind(record.name)
        .bind(key)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// A batch of each tenant and type; whether there was any.
async fn turn(core: Core) -> anyhow::Result<bool> {
    let mut tx = core.db.system().await?;
    let due: Vec<(Uuid, String)> = query_as(
        "-- crm.search_backlog.due\nSELECT tenant_id, record_type FROM crm.search_backlog_due(100)",
    )
    .fetch_all(tx.conn())
    .await?;
    drop(tx);
    for (tenant, record_type) in &due {
        #[expect(
            clippy::disallowed_methods,
            reason = "the backlog's own rows name their tenants"
        )]
        let tenant = TenantId::trusted(*tenant);
        write(&core, tenant, record_type).await?;
    }
    Ok(!due.is_empty())
}

/// Writes a batch: an update that changes nothing but, with `crm.reindex`, the documents.
async fn write(core: &Core, tenant: TenantId, record_type: &str) -> Result<(), DbError> {
    let known = records::ALL.iter().find(|known| known.name == record_type);
    let Some(known) = known else { return Ok(()) };
    let scope = TenantScope::new(tenant, None);
    core.db
        .run("crm.search_backlog.write", &scope, async |tx| {
            let ids: Vec<Uuid> = query_scalar(
                "-- crm.search_backlog.take\n\
                 DELETE FROM crm.search_backlog \
                 WHERE record_type = $1 AND record_id = ANY (ARRAY(\
                   SELECT record_id FROM crm.search_backlog WHERE record_type = $1 \
                   ORDER BY record_id LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING record_id",
            )
            .bind(record_type)
            .bind(BATCH)
            .fetch_all(tx.conn())
            .await?;
            query("-- crm.search_backlog.reindex\nSELECT set_config('crm.reindex', 'on', true)")
                .execute(tx.conn())
                .await?;
            let table = known.table;
            // Locked in one order, as everybody does who locks many.
            let sql = format!(
                "-- {table}.reindex\nUPDATE {table} SET id = id WHERE id = ANY (ARRAY(\
                 SELECT id FROM {table} WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE))"
            );
            query(&sql).bind(ids).execute(tx.conn()).await?;
            Ok::<_, DbError>(())
        })
        .await
}
