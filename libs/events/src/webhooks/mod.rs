//! Telling tenants' own systems what happened: a service's events, delivered to the addresses that its tenants gave.
//!
//! A service has the tables `webhooks` and `webhook_deliveries` and the functions that go with them (the migrations of
//! identity are the pattern). An event becomes a delivery in the transaction that moves the cursor of the outbox; a
//! delivery is taken with a lease and reported on after the attempt. So nothing is lost whenever the process ends, and a
//! message can arrive twice: its id tells.

mod attempt;
mod resource;
mod store;
pub mod table;

use std::{collections::HashMap, sync::Arc, time::Duration};

use bz_http::egress::Egress;
use bz_kernel::{Sealer, Sources, TenantId};
use bz_tenant::{Db, DbError, TenantTx};
use chrono::TimeDelta;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use attempt::DisabledBecause;
pub use resource::{
    CreateWebhook, Delivery, DeliveryStatus, PatchWebhook, Webhook, WebhookWithSecret, Webhooks,
    disabled, too_many,
};
pub use store::{Message, queue};

use crate::{Redis, channel};

/// Without a wake-up the outbox is looked at this often.
const POLL: Duration = Duration::from_secs(1);
/// The pause after the database failed.
const PAUSE: Duration = Duration::from_secs(5);
/// Events that become deliveries in one transaction.
const EVENTS: i32 = 500;
/// Attempts under way at once, and how many of them a tenant gets at a time.
const MOST: usize = 32;
const EACH: usize = 4;
/// When a delivery is tried again if nobody reported on it: well behind the longest attempt.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// A webhook to which every delivery has failed for so long is disabled.
const PATIENCE: TimeDelta = TimeDelta::days(3);

/// What a service does when one of its webhooks was disabled.
pub trait WebhookObserver: Send + Sync + 'static {
    /// Called in the transaction that disables it.
    fn disabled(
        &self,
        tx: &mut TenantTx,
        webhook: Uuid,
        because: DisabledBecause,
    ) -> impl Future<Output = Result<(), DbError>> + Send;
}

/// Delivers the webhooks of a service.
pub struct WebhookSender<O> {
    /// The service's schema.
    pub db: Db,
    /// What wakes it.
    pub redis: Redis,
    /// Time, randomness, ids.
    pub sources: Sources,
    /// Opens the webhooks' secrets, each bound to the bytes of its webhook's id.
    pub sealer: Sealer,
    /// The way out.
    pub egress: Egress,
    /// Told of webhooks that are disabled.
    pub observer: O,
}

impl<O: WebhookObserver> WebhookSender<O> {
    /// Delivers until `stop`, and ends the attempts in hand then. Any number of replicas may do it at once.
    pub async fn run(self, stop: CancellationToken) {
        let mut hints = self.redis.subscribe(&[&channel(self.db.schema())]);
        let mut attempts = Attempts {
            sender: Arc::new(self),
            running: JoinSet::new(),
            tenants: HashMap::new(),
        };
        while !stop.is_cancelled() {
            // What is heard from here on may be about events that the turn below does not see.
            hints.skip_heard();
            let pause = match attempts.turn().await {
                Ok(true) => continue,
                Ok(false) => POLL,
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "webhooks wait: the database cannot be asked");
                    PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
                _ = hints.next(), if pause == POLL => {}
                () = attempts.one_ended() => {}
            }
        }
        while !attempts.running.is_empty() {
            attempts.one_ended().await;
        }
    }
}

/// The attempts under way, and how many of them are whose.
struct Attempts<O> {
    sender: Arc<WebhookSender<O>>,
    running: JoinSet<TenantId>,
    tenants: HashMap<TenantId, usize>,
}

impl<O: WebhookObserver> Attempts<O> {
    /// Turns events into deliveries and starts what is due. Answers whether there is more to do at once.
    async fn turn(&mut self) -> Result<bool, DbError> {
        let (db, now) = (&self.sender.db, self.sender.sources.now());
        let read = store::fan_out(db, now, EVENTS).await?;
        let free = MOST - self.running.len();
        if free == 0 {
            return Ok(false);
        }
        let busy = self.tenants.iter().filter(|(_, count)| **count >= EACH);
        let busy: Vec<Uuid> = busy.map(|(tenant, _)| tenant.as_uuid()).collect();
        let due = store::due(db, (now, now + LEASE), &busy, (EACH, free)).await?;
        let started = due.len();
        for (tenant, delivery) in due {
            *self.tenants.entry(tenant).or_default() += 1;
            let sender = Arc::clone(&self.sender);
            self.running.spawn(async move {
                if let Err(error) = sender.attempt(tenant, delivery).await {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, webhook.delivery = %delivery, "an attempt could not be written down; it is repeated");
                }
                tenant
            });
        }
        Ok(read == i64::from(EVENTS) || (started > 0 && self.running.len() < MOST))
    }

    /// Waits for an attempt to end; for ever when there is none.
    async fn one_ended(&mut self) {
        match self.running.join_next().await {
            Some(Ok(tenant)) => {
                if let Some(count) = self.tenants.get_mut(&tenant) {
                    *count -= 1;
                }
                self.tenants.retain(|_, count| *count > 0);
            }
            // An attempt that panicked: whose it was is not known, so nobody's count is right any more.
            Some(Err(_)) => self.tenants.clear(),
            None => std::future::pending().await,
        }
    }
}
