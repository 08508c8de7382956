//! Webhooks: a tenant's own systems are told what happens, in the form of <https://www.standardwebhooks.com>.

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

use bz_auth::Caller;
use bz_tenant::{DbError, TenantTx};
use serde_json::{Value, json};
use url::Url;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use bz_events::webhooks::table as store;
pub(crate) use bz_events::webhooks::{
    CreateWebhook, Delivery, PatchWebhook, Webhook, WebhookWithSecret, Webhooks,
};

use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
};

bz_auth::permissions! {
    /// Set up webhooks and look into their deliveries.
    WebhooksManage = "webhooks:manage",
}

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create::create_webhook, list::list_webhooks))
        .routes(routes!(
            get::get_webhook,
            patch::patch_webhook,
            delete::delete_webhook
        ))
        .routes(routes!(test::test_webhook))
        .routes(routes!(rotate::rotate_webhook_secret))
        .routes(routes!(deliveries::list_webhook_deliveries))
        .routes(routes!(replay::replay_webhook_delivery))
}

/// What the audit log keeps of an address: paths and queries of webhooks are often secrets.
fn host(url: &Url) -> Value {
    json!(url.host_str())
}

async fn record(
    tx: &mut TenantTx,
    app: &AppState,
    (caller, origin): (&Caller, &Origin),
    action: &'static str,
    webhook: Uuid,
    changes: Value,
) -> Result<(), DbError> {
    let entry = Entry {
        actor: Actor::of(caller),
        action,
        target: Some(("webhook", webhook)),
        success: true,
        changes,
        origin,
    };
    audit::record(tx, &app.core.sources, entry).await
}
