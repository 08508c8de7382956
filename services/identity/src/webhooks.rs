//! Webhooks: a tenant's own systems are told what happens, in the form of <https://www.standardwebhooks.com>.

use bz_service::{
    Core,
    webhooks::{Change, HasWebhooks},
};
use bz_tenant::{DbError, TenantTx};

pub(crate) use bz_events::webhooks::Webhooks;

use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
};

bz_auth::permissions! {
    /// Set up webhooks and look into their deliveries.
    WebhooksManage = "webhooks:manage",
}

impl HasWebhooks for AppState {
    type Origin = crate::origin::Origin;

    fn core(&self) -> &Core {
        &self.core
    }

    fn webhooks(&self) -> &Webhooks {
        &self.webhooks
    }

    fn wake(&self) {
        self.wake();
    }

    async fn record(
        &self,
        tx: &mut TenantTx,
        change: Change<'_, Self::Origin>,
    ) -> Result<(), DbError> {
        let by_itself = Self::Origin::default();
        let (actor, origin) = change
            .by
            .map_or((Actor::System, &by_itself), |(caller, origin)| {
                (Actor::of(caller), origin)
            });
        let entry = Entry {
            actor,
            action: change.action,
            target: Some(("webhook", change.webhook)),
            success: true,
            changes: change.details,
            origin,
        };
        audit::record(tx, &self.core.sources, entry).await
    }
}

bz_service::webhook_endpoints! {
    AppState, WebhooksManage = "webhooks:manage", tag "webhooks",
    "/api/webhooks", create create_webhook, list list_webhooks,
    "/api/webhooks/{id}", get get_webhook, patch patch_webhook, delete delete_webhook,
    "/api/webhooks/{id}/test", test test_webhook,
    "/api/webhooks/{id}/rotate-secret", rotate rotate_webhook_secret,
    "/api/webhooks/{id}/deliveries", deliveries list_webhook_deliveries,
    "/api/webhooks/deliveries/{id}/replay", replay replay_webhook_delivery,
}
