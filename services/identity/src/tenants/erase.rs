//! Deletes the rows of tenants whose time is over, and tells the other services to do the same.

use bz_events::NewEvent;
use bz_kernel::TenantId;
use bz_service::{Core, retention};
use bz_tenant::{DbError, TenantScope};
use serde_json::json;

use super::{delete::RESTORABLE_FOR, store};

/// How many tenants one run takes on.
const TENANTS_A_RUN: i32 = 10;

/// Erases some tenants that were deleted long enough ago; answers how many.
///
/// # Errors
/// Any [`DbError`].
pub async fn run(core: Core) -> Result<i64, DbError> {
    let before = core.sources.now() - RESTORABLE_FOR;
    let tenants = {
        let mut tx = core.db.system().await?;
        store::to_erase(&mut tx, before, TENANTS_A_RUN).await?
    };
    let mut erased = 0;
    for tenant in tenants {
        erase(&core, tenant).await?;
        erased += 1;
    }
    Ok(erased)
}

/// Erases one tenant, in batches and in its own scope. What was done when it stops in the middle is done; the row of the
/// tenant goes last, with the event that tells it, so that the next run goes on.
async fn erase(core: &Core, tenant: TenantId) -> Result<(), DbError> {
    let scope = TenantScope::new(tenant, None);
    let db = &core.db;
    let mut tx = db.tenant(&scope).await?;
    store::forget_guests(&mut tx).await?;
    tx.commit().await?;
    loop {
        let mut tx = db.tenant(&scope).await?;
        let gone = store::erase_audit_log(&mut tx, retention::BATCH).await?;
        tx.commit().await?;
        if gone < i64::from(retention::BATCH) {
            break;
        }
    }
    let mut tx = db.tenant(&scope).await?;
    store::erase_audit_heads(&mut tx).await?;
    tx.commit().await?;
    // The row of the tenant is what says that it is to be erased.
    bz_tenant::erase::erase(db, &scope, &["tenants"]).await?;
    let mut tx = db.tenant(&scope).await?;
    if store::delete(&mut tx).await? {
        let event = NewEvent {
            kind: bz_events::TENANT_DELETED,
            actor: None,
            data: json!({ "tenant_id": tenant }),
        };
        bz_events::append(&mut tx, &core.sources, event).await?;
        tx.commit().await?;
        bz_events::wake(&core.redis, core.info.schema);
        tracing::info!(tenant.id = %tenant, "a deleted tenant was erased");
    }
    Ok(())
}
