//! When identity tells that a tenant is gone for good, its rows go; when a user is, what agents remember of that user.

use bz_events::{Consumer, Envelope, EventHandler};
use bz_kernel::{UserId, platform::IDENTITY};
use bz_service::{Core, Job, erasure, feed_cursors};
use bz_tenant::{DbError, TenantScope, TenantTx};
use uuid::Uuid;

use crate::memory;

/// The job.
///
/// # Errors
/// When the HTTP client cannot be built.
pub(crate) fn job(core: &Core) -> anyhow::Result<Job> {
    let consumer = Consumer {
        source: &IDENTITY,
        sibling: core.sibling(&IDENTITY)?,
        tokens: core.tokens.clone(),
        redis: core.redis.clone(),
    };
    let eraser = Eraser(core.clone());
    Ok(Job::new("identity-feed", async move |stop| {
        consumer.run(eraser, stop).await;
        Ok(())
    }))
}

struct Eraser(Core);

impl EventHandler for Eraser {
    async fn position(&self) -> anyhow::Result<Option<String>> {
        Ok(feed_cursors::load(&self.0, IDENTITY.name).await?)
    }

    async fn handle(&self, batch: Vec<Envelope>, next: &str) -> anyhow::Result<()> {
        let core = &self.0;
        for event in batch.iter().filter(|event| event.kind == "user.deleted") {
            let user = event.data["user_id"].as_str();
            let Some(user) = user.and_then(|id| id.parse::<Uuid>().ok()) else {
                continue;
            };
            let scope = TenantScope::new(event.tenant_id, None);
            let forget =
                async |tx: &mut TenantTx| memory::forget_user(tx, UserId::from_uuid(user)).await;
            core.db
                .run::<_, DbError>("ai.memories.user_gone", &scope, forget)
                .await?;
        }
        erasure::erase(core, &erasure::deleted_tenants(IDENTITY.name, &batch)).await?;
        Ok(feed_cursors::save(core, IDENTITY.name, next).await?)
    }
}
