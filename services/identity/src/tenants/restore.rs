//! The operator's way to bring a deleted tenant back: nobody of it can log in to do so.

use bz_kernel::Sources;
use bz_tenant::{Db, DbError, TenantScope};
use serde_json::json;

use super::store;
use crate::{
    audit::Actor,
    changes::{self, Change},
    origin::Origin,
};

/// Restores the deleted tenant that a slug names; false when there is none. Its sessions stay ended: people log in again.
///
/// # Errors
/// Any [`DbError`].
pub async fn restore(db: &Db, sources: &Sources, slug: &str) -> Result<bool, DbError> {
    let Some(tenant) = store::find_by_slug(db, slug).await? else {
        return Ok(false);
    };
    let mut tx = db.tenant(&TenantScope::new(tenant, None)).await?;
    if !store::set_deleted(&mut tx, false, sources.now()).await? {
        return Ok(false);
    }
    let change = Change {
        actor: Actor::System,
        kind: "tenant.restored",
        target: ("tenant", tenant.as_uuid()),
        data: json!({ "tenant_id": tenant }),
        changes: json!({}),
        origin: &Origin::default(),
    };
    changes::record(&mut tx, sources, change).await?;
    tx.commit().await?;
    Ok(true)
}
