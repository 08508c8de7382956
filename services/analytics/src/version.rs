//! The version of a tenant's data: one more with every write. It is in the key of everything that is cached.

use bz_tenant::{DbError, TenantTx};

/// One more. Called last in every transaction that changes events, facts, orders or deals: it locks the tenant's row until
/// the commit.
///
/// # Errors
/// Any [`DbError`].
pub async fn bump(tx: &mut TenantTx) -> Result<(), DbError> {
    sqlx::query(
        "-- analytics.tenant_data.bump\n\
         INSERT INTO analytics.tenant_data (version) VALUES (1) \
         ON CONFLICT (tenant_id) DO UPDATE SET version = tenant_data.version + 1",
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
