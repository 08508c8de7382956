//! The jobs of webhooks: delivering, and deleting old deliveries.

use bz_events::{
    NewEvent,
    webhooks::{DisabledBecause, WebhookObserver, WebhookSender, table},
};
use bz_tenant::{DbError, TenantTx};
use chrono::TimeDelta;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{Change, HasWebhooks};
use crate::{Job, retention};

/// How long deliveries are kept after they ended.
const KEPT_FOR: TimeDelta = TimeDelta::days(30);

/// The jobs.
pub fn jobs<A: HasWebhooks>(app: &A) -> [Job; 2] {
    let (core, webhooks) = (app.core(), app.webhooks().clone());
    let sender = WebhookSender {
        db: core.db.clone(),
        redis: core.redis.clone(),
        sources: core.sources.clone(),
        sealer: webhooks.sealer,
        egress: webhooks.egress,
        observer: Observer(app.clone()),
    };
    let deliver = Job::new("webhooks", async move |stop| {
        sender.run(stop).await;
        Ok(())
    });
    let app = app.clone();
    let purge = retention::job("retention-webhook-deliveries", move || purge(app.clone()));
    [deliver, purge]
}

async fn purge<A: HasWebhooks>(app: A) -> Result<i64, DbError> {
    let core = app.core();
    let before = core.sources.now() - KEPT_FOR;
    let mut tx = core.db.system().await?;
    let deleted = table::purge_deliveries(&mut tx, before, retention::BATCH).await?;
    tx.commit().await?;
    Ok(deleted)
}

/// Tells that a webhook was disabled, and writes it down.
struct Observer<A>(A);

#[derive(Serialize)]
struct WebhookDisabled {
    webhook_id: Uuid,
    reason: &'static str,
}

impl<A: HasWebhooks> WebhookObserver for Observer<A> {
    async fn disabled(
        &self,
        tx: &mut TenantTx,
        webhook: Uuid,
        because: DisabledBecause,
    ) -> Result<(), DbError> {
        let reason = because.as_str();
        let event = NewEvent {
            kind: "webhook.disabled",
            actor: None,
            data: WebhookDisabled {
                webhook_id: webhook,
                reason,
            },
        };
        bz_events::append(tx, &self.0.core().sources, event).await?;
        let change = Change {
            by: None,
            action: "webhook.disabled",
            webhook,
            details: json!({ "reason": reason }),
        };
        self.0.record(tx, change).await
    }
}
