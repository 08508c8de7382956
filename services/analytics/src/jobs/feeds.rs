//! Follows the feeds of the CRM and of identity: what happens there is counted here within a second or two. An event
//! keeps its id, so reading a part of a feed twice counts nothing twice; the cursor is stored after the batch.

use std::{collections::BTreeMap, sync::Arc};

use bz_events::{Consumer, Envelope, EventHandler};
use bz_http::client::Sibling;
use bz_kernel::{ServiceInfo, TenantId, platform::CRM};
use bz_service::{Core, Job, erasure, feed_cursors};
use bz_tenant::TenantScope;

use crate::{
    realtime::Hub,
    sources::crm_deals,
    tracking::{TrackedEvent, Tracking, forget_deltas},
    version,
};

/// The job that follows one sibling's feed.
pub(crate) fn follow(
    name: &'static str,
    source: &'static ServiceInfo,
    sibling: Sibling,
    (core, tracking, hub): (Core, Arc<Tracking>, Hub),
) -> Job {
    Job::new(name, move |stop| async move {
        let consumer = Consumer {
            source,
            sibling,
            tokens: core.tokens.clone(),
            redis: core.redis.clone(),
        };
        consumer
            .run(
                Counter {
                    core,
                    tracking,
                    hub,
                    source: source.name,
                },
                stop,
            )
            .await;
        Ok(())
    })
}

/// Counts what a feed tells.
struct Counter {
    core: Core,
    tracking: Arc<Tracking>,
    hub: Hub,
    source: &'static str,
}

impl EventHandler for Counter {
    async fn position(&self) -> anyhow::Result<Option<String>> {
        Ok(feed_cursors::load(&self.core, self.source).await?)
    }

    async fn handle(&self, batch: Vec<Envelope>, next: &str) -> anyhow::Result<()> {
        self.take_in(batch, next).await
    }
}

impl Counter {
    /// Takes in one batch of the feed and remembers how far it was read.
    async fn take_in(&self, batch: Vec<Envelope>, next: &str) -> anyhow::Result<()> {
        let core = &self.core;
        // What is told of a tenant that is gone is not counted, and what was counted goes with it.
        let gone = erasure::deleted_tenants(self.source, &batch);
        let mut by_tenant: BTreeMap<TenantId, Vec<Envelope>> = BTreeMap::new();
        for envelope in batch {
            let tenant = envelope.tenant_id;
            if !gone.contains(&tenant) {
                by_tenant.entry(tenant).or_default().push(envelope);
            }
        }
        for (tenant, told) in by_tenant {
            self.take_in_of(tenant, told).await?;
        }
        for tenant in &gone {
            forget_deltas(core, &TenantScope::new(*tenant, None)).await?;
        }
        erasure::erase(core, &gone).await?;
        Ok(feed_cursors::save(core, self.source, next).await?)
    }

    async fn take_in_of(&self, tenant: TenantId, told: Vec<Envelope>) -> anyhow::Result<()> {
        let (core, now) = (&self.core, self.core.sources.now());
        let scope = TenantScope::new(tenant, None);
        let of_deals = |told: &Envelope| crm_deals::is_about(&told.kind);
        if self.source == CRM.name && told.iter().any(of_deals) {
            let mut tx = core.db.tenant(&scope).await?;
            crm_deals::take_in(&mut tx, now, &told).await?;
            version::bump(&mut tx).await?;
            tx.commit().await?;
        }
        // Snapshots of many deals are no events that happened; what is older than events are kept here has no place.
        let events: Vec<TrackedEvent> = told
            .into_iter()
            .filter(|told| told.kind != "deals.imported")
            .map(tracked)
            .filter(|event| event.is_in_time(now))
            .collect();
        let recorded = self.tracking.record(&core.db, now, &scope, &events).await;
        recorded.map_err(|problem| anyhow::anyhow!("{problem:?}"))?;
        self.hub.changed(tenant);
        Ok(())
    }
}

/// The event as analytics keeps it: the same id, its kind as the name, its data as properties.
fn tracked(envelope: Envelope) -> TrackedEvent {
    TrackedEvent {
        actor_id: envelope.actor.map(|actor| actor.to_string()),
        props: match envelope.data {
            serde_json::Value::Object(fields) => fields,
            other => serde_json::Map::from_iter([("data".to_owned(), other)]),
        },
        ..TrackedEvent::bare(envelope.id, envelope.kind, envelope.at)
    }
}
