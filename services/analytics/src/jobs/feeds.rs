//! Follows the feeds of the CRM and of identity: what happens there is counted here within a second or two. An event
//! keeps its id, so reading a part of a feed twice counts nothing twice; the cursor is stored after the batch.

use std::{collections::BTreeMap, sync::Arc};

use bz_events::{Consumer, Envelope, EventHandler};
use bz_http::client::Sibling;
use bz_kernel::{ServiceInfo, TenantId};
use bz_service::{Core, Job, erasure, feed_cursors};
use bz_tenant::TenantScope;

use crate::{
    realtime::Hub,
    tracking::{TrackedEvent, Tracking},
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
        let (core, now) = (&self.core, self.core.sources.now());
        // What is told of a tenant that is gone is not counted, and what was counted goes with it.
        let gone = erasure::deleted_tenants(self.source, &batch);
        let mut by_tenant: BTreeMap<TenantId, Vec<TrackedEvent>> = BTreeMap::new();
        for envelope in batch {
            let tenant = envelope.tenant_id;
            let event = tracked(envelope);
            // What is older than events are kept here would have no place.
            if !gone.contains(&tenant) && event.is_in_time(now) {
                by_tenant.entry(tenant).or_default().push(event);
            }
        }
        for (tenant, events) in by_tenant {
            let scope = TenantScope::new(tenant, None);
            let recorded = self.tracking.record(&core.db, now, &scope, &events).await;
            recorded.map_err(|problem| anyhow::anyhow!("{problem:?}"))?;
            self.hub.changed(tenant);
        }
        erasure::erase(core, &gone).await?;
        Ok(feed_cursors::save(core, self.source, next).await?)
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
