//! Webhooks: a tenant's own systems are told of its reports and alerts, in the form of
//! <https://www.standardwebhooks.com>. Types, SQL and delivery are those of `bz_events`, as in identity.

mod create;
mod delete;
mod deliveries;
mod get;
mod list;
mod patch;
mod replay;
mod rotate;
pub(crate) mod sender;
mod test;

use utoipa_axum::{router::OpenApiRouter, routes};

use bz_events::webhooks::table as store;
pub(crate) use bz_events::webhooks::{
    CreateWebhook, Delivery, PatchWebhook, Webhook, WebhookWithSecret, Webhooks,
};

use crate::app::AppState;

bz_auth::permissions! {
    /// Set up the webhooks of analytics and look into their deliveries.
    WebhooksManage = "analytics-webhooks:manage",
}

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(
            create::create_analytics_webhook,
            list::list_analytics_webhooks
        ))
        .routes(routes!(
            get::get_analytics_webhook,
            patch::patch_analytics_webhook,
            delete::delete_analytics_webhook
        ))
        .routes(routes!(test::test_analytics_webhook))
        .routes(routes!(rotate::rotate_analytics_webhook_secret))
        .routes(routes!(deliveries::list_analytics_webhook_deliveries))
        .routes(routes!(replay::replay_analytics_webhook_delivery))
}
