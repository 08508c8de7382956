//! Webhooks: a tenant's own systems are told what happens to its records, in the form of
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
    /// Set up the CRM's webhooks and look into their deliveries.
    WebhooksManage = "crm-webhooks:manage",
}

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create::create_crm_webhook, list::list_crm_webhooks))
        .routes(routes!(
            get::get_crm_webhook,
            patch::patch_crm_webhook,
            delete::delete_crm_webhook
        ))
        .routes(routes!(test::test_crm_webhook))
        .routes(routes!(rotate::rotate_crm_webhook_secret))
        .routes(routes!(deliveries::list_crm_webhook_deliveries))
        .routes(routes!(replay::replay_crm_webhook_delivery))
}
