//! Going through the tenants that a job has work for.

use bz_kernel::TenantId;
use bz_service::Core;
use bz_tenant::DbError;
use sqlx::query_scalar;
use uuid::Uuid;

/// The next tenant behind `after` that a query of one of our functions answers.
///
/// # Errors
/// Any [`DbError`].
pub(super) async fn behind(
    core: &Core,
    sql: &'static str,
    after: Uuid,
) -> Result<Option<TenantId>, DbError> {
    let mut tx = core.db.system().await?;
    let found: Option<Uuid> = query_scalar(sql)
        .bind(after)
        .fetch_optional(tx.conn())
        .await?;
    #[expect(clippy::disallowed_methods, reason = "the tenant of a row of ours")]
    Ok(found.map(TenantId::trusted))
}
