//! Who watches, and telling them that a tenant's data changed: within the process, and by Redis to other replicas. A hint
//! that is lost costs a moment, not a number: watchers look for themselves every two seconds.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bz_events::{Redis, redis::Notice};
use bz_kernel::TenantId;
use bz_service::{Core, Job};
use tokio::sync::broadcast;
use uuid::Uuid;

/// Changes of one tenant within this time are one message to the other replicas.
const GATHER: Duration = Duration::from_millis(50);
/// Hints that wait for a slow watcher. When there are more it knows that it missed some, which is all that a hint says.
const BUFFER: usize = 64;
/// The most streams of a tenant in a process.
pub(super) const MAX_STREAMS: usize = 50;
/// The channel of Redis; a message is a tenant's id.
const CHANNEL: &str = "bz:analytics:changed";

/// One for the process. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Hub(Arc<Inner>);

struct Inner {
    redis: Redis,
    changes: broadcast::Sender<Uuid>,
    /// Tenants of which the other replicas are about to be told.
    telling: Mutex<HashSet<Uuid>>,
    streams: Mutex<HashMap<TenantId, usize>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    pub(crate) fn new(redis: Redis) -> Self {
        Self(Arc::new(Inner {
            redis,
            changes: broadcast::channel(BUFFER).0,
            telling: Mutex::default(),
            streams: Mutex::default(),
        }))
    }

    /// Tells the tenant's watchers, after the commit. Returns at once.
    pub(crate) fn changed(&self, tenant: TenantId) {
        let tenant = tenant.as_uuid();
        // Nobody may be listening.
        let _ = self.0.changes.send(tenant);
        if !self.0.redis.is_configured() || !lock(&self.0.telling).insert(tenant) {
            return;
        }
        let hub = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(GATHER).await;
            // Taken out first: a change from here on gets a message of its own.
            lock(&hub.0.telling).remove(&tenant);
            let _ = hub.0.redis.publish(CHANNEL, &tenant.to_string()).await;
        });
    }

    /// Hears of changes from now on.
    pub(super) fn listen(&self) -> broadcast::Receiver<Uuid> {
        self.0.changes.subscribe()
    }

    /// A place for a stream; none when the tenant has too many.
    pub(super) fn enter(&self, tenant: TenantId) -> Option<Place> {
        let mut streams = lock(&self.0.streams);
        let open = streams.entry(tenant).or_insert(0);
        if *open >= MAX_STREAMS {
            return None;
        }
        *open += 1;
        drop(streams);
        Some(Place {
            hub: self.clone(),
            tenant,
        })
    }
}

/// A stream's place, given back when it is dropped.
pub(super) struct Place {
    hub: Hub,
    tenant: TenantId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut streams = lock(&self.hub.0.streams);
        if let Some(open) = streams.get_mut(&self.tenant) {
            *open -= 1;
            if *open == 0 {
                streams.remove(&self.tenant);
            }
        }
    }
}

/// The job that passes on what other replicas tell.
pub(crate) fn job(core: &Core, hub: Hub) -> Job {
    let redis = core.redis.clone();
    Job::new("realtime-hints", async move |stop| {
        let mut subscription = redis.subscribe(&[CHANNEL]);
        while let Some(notice) = stop.run_until_cancelled(subscription.next()).await {
            if let Notice::Message { payload, .. } = notice
                && let Ok(tenant) = payload.parse()
            {
                let _ = hub.0.changes.send(tenant);
            }
        }
        Ok(())
    })
}
