//! Webhooks: a tenant's own systems are told of its reports and alerts, in the form of
//! <https://www.standardwebhooks.com>.

use bz_service::{Core, webhooks::HasWebhooks};

pub(crate) use bz_events::webhooks::Webhooks;

use crate::app::AppState;

bz_auth::permissions! {
    /// Set up the webhooks of analytics and look into their deliveries.
    WebhooksManage = "analytics-webhooks:manage",
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
    AppState, WebhooksManage = "analytics-webhooks:manage", tag "analytics-webhooks",
    "/api/analytics/webhooks", create create_analytics_webhook, list list_analytics_webhooks,
    "/api/analytics/webhooks/{id}", get get_analytics_webhook, patch patch_analytics_webhook, delete delete_analytics_webhook,
    "/api/analytics/webhooks/{id}/test", test test_analytics_webhook,
    "/api/analytics/webhooks/{id}/rotate-secret", rotate rotate_analytics_webhook_secret,
    "/api/analytics/webhooks/{id}/deliveries", deliveries list_analytics_webhook_deliveries,
    "/api/analytics/webhooks/deliveries/{id}/replay", replay replay_analytics_webhook_delivery,
}
