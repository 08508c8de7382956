//! The words by which errors of typing are found (migration 0183).

use bz_service::{Core, Job, retention};
use bz_tenant::{DbError, Statements, TenantTx};
use sqlx::query_scalar;

/// The job that forgets the words that no document has any more.
pub(crate) fn job(core: &Core) -> Job {
    let core = core.clone();
    retention::job("search-words", move || purge(core.clone()))
}

/// Forgets those of the tenant at once, for a person who is erased.
pub(crate) async fn forget(tx: &mut TenantTx) -> Result<(), DbError> {
    while purge_batch(tx.conn()).await? == i64::from(retention::BATCH) {}
    Ok(())
}

async fn purge(core: Core) -> Result<i64, DbError> {
    let mut tx = core.db.system().await?;
    let looked_at = purge_batch(tx.conn()).await?;
    tx.commit().await?;
    Ok(looked_at)
}

async fn purge_batch(conn: Statements<'_>) -> Result<i64, DbError> {
    let looked_at = query_scalar("-- crm.search_words.purge\nSELECT crm.purge_search_words($1)")
        .bind(retention::BATCH)
        .fetch_one(conn)
        .await?;
    Ok(looked_at)
}
