//! When a user is gone, the automations that acted as that user stop.

use bz_events::{Consumer, Envelope, EventHandler};
use bz_kernel::platform::IDENTITY;
use bz_service::{Job, feed_cursors};
use bz_tenant::{DbError, TenantScope};
use uuid::Uuid;

use super::store;
use crate::app::AppState;

/// Under this name the position in identity's feed is kept.
const POSITION: &str = "identity/automations";

/// The job.
///
/// # Errors
/// When the HTTP client cannot be built.
pub(super) fn job(app: &AppState) -> anyhow::Result<Job> {
    let core = &app.core;
    let consumer = Consumer {
        source: &IDENTITY,
        sibling: core.sibling(&IDENTITY)?,
        tokens: core.tokens.clone(),
        redis: core.redis.clone(),
    };
    let follower = Follower(app.clone());
    Ok(Job::new("automation-creators", async move |stop| {
        consumer.run(follower, stop).await;
        Ok(())
    }))
}

struct Follower(AppState);

impl EventHandler for Follower {
    async fn position(&self) -> anyhow::Result<Option<String>> {
        Ok(feed_cursors::load(&self.0.core, POSITION).await?)
    }

    async fn handle(&self, batch: Vec<Envelope>, next: &str) -> anyhow::Result<()> {
        let core = &self.0.core;
        for event in batch.iter().filter(|event| event.kind == "user.deleted") {
            let user = event.data["user_id"]
                .as_str()
                .and_then(|id| id.parse::<Uuid>().ok());
            let Some(user) = user else { continue };
            let scope = TenantScope::new(event.tenant_id, None);
            let stop = async |tx: &mut bz_tenant::TenantTx| {
                store::creator_gone(tx, user, core.sources.now()).await
            };
            core.db
                .run::<_, DbError>("crm.automations.creator_gone", &scope, stop)
                .await?;
        }
        Ok(feed_cursors::save(core, POSITION, next).await?)
    }
}
