//! Webhooks: a tenant's own systems are told what happens to its records, in the form of
//! <https://www.standardwebhooks.com>.

use bz_service::{Core, webhooks::HasWebhooks};

pub(crate) use bz_events::webhooks::Webhooks;

use crate::app::AppState;

bz_auth::permissions! {
    /// Set up the CRM's webhooks and look into their deliveries.
    WebhooksManage = "crm-webhooks:manage",
}

impl HasWebhooks for AppState {
    type Origin = ();

    fn core(&self) -> &Core {
        &self.core
    }

    fn webhooks(&self) -> &Webhooks {
        &self.webhooks
    }

    fn wake(&self) {
        self.wake();
    }
}

bz_service::webhook_endpoints! {
    AppState, WebhooksManage = "crm-webhooks:manage", tag "crm-webhooks",
    "/api/crm/webhooks", create create_crm_webhook, list list_crm_webhooks,
    "/api/crm/webhooks/{id}", get get_crm_webhook, patch patch_crm_webhook, delete delete_crm_webhook,
    "/api/crm/webhooks/{id}/test", test test_crm_webhook,
    "/api/crm/webhooks/{id}/rotate-secret", rotate rotate_crm_webhook_secret,
    "/api/crm/webhooks/{id}/deliveries", deliveries list_crm_webhook_deliveries,
    "/api/crm/webhooks/deliveries/{id}/replay", replay replay_crm_webhook_delivery,
}
