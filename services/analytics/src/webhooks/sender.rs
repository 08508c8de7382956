//! The jobs of webhooks: delivering, and deleting old deliveries.

use bz_events::{
    NewEvent,
    webhooks::{DisabledBecause, WebhookObserver, WebhookSender},
};
use bz_kernel::Sources;
use bz_service::{Job, retention};
use bz_tenant::{DbError, TenantTx};
use chrono::TimeDelta;
use serde::Serialize;
use uuid::Uuid;

use super::store;
use crate::app::AppState;

/// How long deliveries are kept after they ended.
const KEPT_FOR: TimeDelta = TimeDelta::days(30);

/// The jobs.
pub(crate) fn jobs(app: &AppState) -> [Job; 2] {
    let (core, webhooks) = (&app.core, app.webhooks.clone());
    let sender = WebhookSender {
        db: core.db.clone(),
        redis: core.redis.clone(),
        sources: core.sources.clone(),
        sealer: webhooks.sealer,
        egress: webhooks.egress,
        observer: Observer(core.sources.clone()),
    };
    let deliver = Job::new("webhooks", async move |stop| {
        sender.run(stop).await;
        Ok(())
    });
    let app = app.clone();
    let purge = retention::job("retention-webhook-deliveries", move || purge(app.clone()));
    [deliver, purge]
}

async fn purge(app: AppState) -> Result<i64, DbError> {
    let before = app.core.sources.now() - KEPT_FOR;
    let mut tx = app.core.db.system().await?;
    let deleted = store::purge_deliveries(&mut tx, before, retention::BATCH).await?;
    tx.commit().await?;
    Ok(deleted)
}

/// Tells that a webhook was disabled.
struct Observer(Sources);

#[derive(Serialize)]
struct WebhookDisabled {
    webhook_id: Uuid,
    reason: &'static str,
}

impl WebhookObserver for Observer {
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
        bz_events::append(tx, &self.0, event).await?;
        Ok(())
    }
}
