//! Follows the feeds of the CRM and of identity: what happens there is counted here within a second or two. An event
//! keeps its id, so reading a part of a feed twice counts nothing twice; the cursor is stored after the batch.

use std::collections::BTreeMap;

use bz_events::{Consumer, Envelope, EventHandler};
use bz_http::client::Sibling;
use bz_kernel::{ServiceInfo, TenantId, platform::CRM};
use bz_service::{Core, Job, erasure, feed_cursors};
use bz_tenant::{DbError, TenantScope};

use crate::{
    sources::crm_deals,
    tracking::{TrackedEvent, store},
    version,
};

/// The job that follows one sibling's feed.
pub(crate) fn follow(
    name: &'static str,
    source: &'static ServiceInfo,
    sibling: Sibling,
    core: Core,
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
    source: &'static str,
}

impl EventHandler for Counter {
    async fn position(&self) -> anyhow::Result<Option<String>> {
        Ok(feed_cursors::load(&self.core, self.source).await?)
    }

    async fn handle(&self, batch: Vec<Envelope>, next: &str) -> anyhow::Result<()> {
        Ok(take_in(&self.core, self.source, batch, next).await?)
    }
}

/// Takes in one batch of a sibling's feed and remembers how far it was read.
async fn take_in(
    core: &Core,
    source: &str,
    batch: Vec<Envelope>,
    next: &str,
) -> Result<(), DbError> {
    // What is told of a tenant that is gone is not counted, and what was counted goes with it.
    let gone = erasure::deleted_tenants(source, &batch);
    let mut by_tenant: BTreeMap<TenantId, Vec<Envelope>> = BTreeMap::new();
    for envelope in batch {
        if gone.contains(&envelope.tenant_id) {
            continue;
        }
        by_tenant
            .entry(envelope.tenant_id)
            .or_default()
            .push(envelope);
    }
    for (tenant, events) in by_tenant {
        let now = core.sources.now();
        let mut tx = core.db.tenant(&TenantScope::new(tenant, None)).await?;
        if source == CRM.name && events.iter().any(|event| crm_deals::is_about(&event.kind)) {
            crm_deals::take_in(&mut tx, now, &events).await?;
            version::bump(&mut tx).await?;
        }
        // Snapshots of many deals are no events that happened.
        let counted = events
            .into_iter()
            .filter(|event| event.kind != "deals.imported");
        store::ingest(&mut tx, now, counted.map(tracked).collect()).await?;
        tx.commit().await?;
    }
    erasure::erase(core, &gone).await?;
    feed_cursors::save(core, source, next).await
}

/// The event as analytics keeps it: the same id, its kind as the name, its data as properties.
fn tracked(envelope: Envelope) -> TrackedEvent {
    TrackedEvent {
        event_id: envelope.id,
        name: envelope.kind,
        ts: envelope.at,
        session_id: None,
        actor_id: envelope.actor.map(|actor| actor.to_string()),
        value_minor: None,
        currency: None,
        props: match envelope.data {
            serde_json::Value::Object(fields) => fields,
            other => serde_json::Map::from_iter([("data".to_owned(), other)]),
        },
    }
}
