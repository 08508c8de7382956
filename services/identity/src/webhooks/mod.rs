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
mod store;
mod test;

use bz_auth::Caller;
use bz_http::{Errors, Patch, Problem, Validate, egress::Egress, webhook::WebhookSecret};
use bz_kernel::{ExposeSecret, PlatformSecret, Rng, Sealer, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
};

bz_auth::permissions! {
    /// Set up webhooks and look into their deliveries.
    WebhooksManage = "webhooks:manage",
}

const MOST_DESCRIPTION_CHARACTERS: usize = 500;
const MOST_EVENTS: usize = 50;
const MOST_EVENT_BYTES: usize = 100;

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

/// What handlers and the sender need.
#[derive(Clone)]
pub(crate) struct Webhooks {
    /// The way out.
    pub(crate) egress: Egress,
    sealer: Sealer,
}

impl Webhooks {
    pub(crate) fn new(egress: Egress, secret: &PlatformSecret, rng: Rng) -> Self {
        Self {
            egress,
            sealer: Sealer::new(secret, "webhooks", rng),
        }
    }

    fn seal(&self, webhook: Uuid, secret: &WebhookSecret) -> Vec<u8> {
        self.sealer.seal(webhook.as_bytes(), secret.as_bytes())
    }

    fn check_url(&self, url: &str) -> Result<Url, Problem> {
        self.egress
            .policy()
            .check(url)
            .map_err(|refused| Problem::invalid("/url", refused.code, refused.message))
    }
}

/// Where the tenant is told what happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Webhook {
    /// The webhook's id.
    id: Uuid,
    /// The address that is called.
    url: String,
    /// Which events: a kind (`user.registered`), all of a resource (`user.*`), or all (`*`).
    events: Vec<String>,
    /// What it is for.
    description: Option<String>,
    /// Whether it is called.
    enabled: bool,
    /// Why it was disabled when nobody did it: `failing` (every delivery failed for three days) or `gone` (it answered 410).
    disabled_reason: Option<String>,
    /// Since when every delivery fails.
    failing_since: Option<DateTime<Utc>>,
    /// Until when messages are signed with the secret before the current one too.
    previous_secret_until: Option<DateTime<Utc>>,
    /// Who created it.
    created_by: UserId,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
    /// Grows by one with every change; also the `ETag`.
    version: i64,
}

/// A webhook with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookWithSecret {
    #[serde(flatten)]
    webhook: Webhook,
    /// What the receiver verifies signatures with: `whsec_` and base64.
    secret: String,
}

impl WebhookWithSecret {
    fn new(webhook: Webhook, secret: &WebhookSecret) -> Self {
        Self {
            webhook,
            secret: secret.expose().expose_secret().to_owned(),
        }
    }
}

/// A webhook to set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateWebhook {
    /// The address to call, with https.
    #[schema(max_length = 2048, example = "https://example.com/hook")]
    url: String,
    /// Which events: a kind (`user.registered`), all of a resource (`user.*`), or all (`*`). 1 to 50.
    #[schema(min_items = 1, max_items = 50, example = json!(["user.*"]))]
    events: Vec<String>,
    /// What it is for, at most 500 characters.
    #[schema(max_length = 500)]
    description: Option<String>,
}

impl Validate for CreateWebhook {
    fn validate(&self, errors: &mut Errors) {
        check_events(&self.events, errors);
        check_description(self.description.as_ref(), errors);
    }
}

/// Changes of a webhook.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchWebhook {
    /// The address to call.
    #[schema(max_length = 2048)]
    url: Option<String>,
    /// Which events.
    #[schema(min_items = 1, max_items = 50)]
    events: Option<Vec<String>>,
    /// What it is for.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 500)]
    description: Patch<String>,
    /// Whether it is called. Enabling one that was disabled gives it three days again.
    enabled: Option<bool>,
}

impl Validate for PatchWebhook {
    fn validate(&self, errors: &mut Errors) {
        if let Some(events) = &self.events {
            check_events(events, errors);
        }
        if let Patch::Value(description) = &self.description {
            check_description(Some(description), errors);
        }
    }
}

fn check_events(events: &[String], errors: &mut Errors) {
    if events.is_empty() || events.len() > MOST_EVENTS {
        errors.add("/events", "out_of_range", "must have 1 to 50 items");
    }
    for (n, event) in events.iter().enumerate().take(MOST_EVENTS) {
        if !is_event_filter(event) {
            let message = "must be a kind such as user.registered, user.* or *";
            errors.add(format!("/events/{n}"), "invalid_value", message);
        }
    }
}

fn is_event_filter(text: &str) -> bool {
    let word = |word: &str| {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        !word.is_empty() && word.bytes().all(letter)
    };
    let (resource, deed) = text.split_once('.').unwrap_or((text, ""));
    text.len() <= MOST_EVENT_BYTES
        && (text == "*" || (word(resource) && (deed == "*" || word(deed))))
}

fn check_description(description: Option<&String>, errors: &mut Errors) {
    let long = |text: &String| text.chars().count() > MOST_DESCRIPTION_CHARACTERS;
    if description.is_some_and(long) {
        errors.add(
            "/description",
            "too_long",
            "must have at most 500 characters",
        );
    }
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

#[cfg(test)]
mod tests {
    use super::is_event_filter;

    #[test]
    fn filters_are_kinds_resources_or_all() {
        for good in ["*", "user.*", "user.registered", "api_key.created"] {
            assert!(is_event_filter(good), "{good}");
        }
        for bad in [
            "",
            "user",
            "user.",
            ".*",
            "*.*",
            "*.created",
            "user.*.x",
            "User.*",
            "user registered",
            "u-s.er",
        ] {
            assert!(!is_event_filter(bad), "{bad}");
        }
        assert!(!is_event_filter(&format!("user.{}", "a".repeat(100))));
    }
}
