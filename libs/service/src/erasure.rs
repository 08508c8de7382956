//! When identity tells that a tenant is gone for good, its rows go in every service.

use std::collections::BTreeSet;

use bz_events::{Consumer, Envelope, EventHandler};
use bz_kernel::{TenantId, platform::IDENTITY};
use bz_tenant::{DbError, TenantScope};

use crate::{Core, Job, feed_cursors};

/// The tenants that a batch of a feed tells to be gone. Only identity's word counts.
#[must_use]
pub fn deleted_tenants(source: &str, batch: &[Envelope]) -> BTreeSet<TenantId> {
    let told = batch.iter().filter(|event| event.tells_of_deleted_tenant());
    let told = told.filter(|_| source == IDENTITY.name);
    told.map(|event| event.tenant_id).collect()
}

/// Deletes every row of these tenants in the service's schema. Doing it again does no harm.
///
/// # Errors
/// Any [`DbError`]; what was deleted by then stays deleted.
pub async fn erase(core: &Core, tenants: &BTreeSet<TenantId>) -> Result<(), DbError> {
    for tenant in tenants {
        let scope = TenantScope::new(*tenant, None);
        let rows = bz_tenant::erase::erase(&core.db, &scope, &[]).await?;
        tracing::info!(tenant.id = %tenant, deleted_rows = rows, "a deleted tenant was erased");
    }
    Ok(())
}

/// The job of a service that follows identity's feed for this alone. It needs the table `feed_cursors`.
///
/// # Errors
/// When the HTTP client cannot be built.
pub fn job(core: &Core) -> reqwest::Result<Job> {
    let consumer = Consumer {
        source: &IDENTITY,
        sibling: core.sibling(&IDENTITY)?,
        tokens: core.tokens.clone(),
        redis: core.redis.clone(),
    };
    let eraser = Eraser(core.clone());
    Ok(Job::new("identity-feed", move |stop| async move {
        consumer.run(eraser, stop).await;
        Ok(())
    }))
}

/// Erases the tenants that identity tells to be gone.
struct Eraser(Core);

impl EventHandler for Eraser {
    async fn position(&self) -> anyhow::Result<Option<String>> {
        Ok(feed_cursors::load(&self.0, IDENTITY.name).await?)
    }

    async fn handle(&self, batch: Vec<Envelope>, next: &str) -> anyhow::Result<()> {
        erase(&self.0, &deleted_tenants(IDENTITY.name, &batch)).await?;
        Ok(feed_cursors::save(&self.0, IDENTITY.name, next).await?)
    }
}
