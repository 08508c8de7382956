//! Webhooks as a resource: what clients write and see of them. The endpoints are each service's own.

use bz_http::{Errors, Patch, Problem, Validate, egress::Egress, webhook::WebhookSecret};
use bz_kernel::{ExposeSecret, PlatformSecret, Rng, Sealer, UserId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use url::Url;
use utoipa::ToSchema;
use uuid::Uuid;

const MOST_DESCRIPTION_CHARACTERS: usize = 500;
const MOST_EVENTS: usize = 50;
const MOST_EVENT_BYTES: usize = 100;

/// What handlers and the sender need.
#[derive(Clone)]
pub struct Webhooks {
    /// The way out.
    pub egress: Egress,
    /// Seals and opens the webhooks' secrets.
    pub sealer: Sealer,
}

impl Webhooks {
    /// With the installation's secret.
    #[must_use]
    pub fn new(egress: Egress, secret: &PlatformSecret, rng: Rng) -> Self {
        Self {
            egress,
            sealer: Sealer::new(secret, "webhooks", rng),
        }
    }

    /// A secret as it is stored.
    #[must_use]
    pub fn seal(&self, webhook: Uuid, secret: &WebhookSecret) -> Vec<u8> {
        self.sealer.seal(webhook.as_bytes(), secret.as_bytes())
    }

    /// Whether the policy lets requests go there.
    ///
    /// # Errors
    /// 422 for an address that it refuses.
    pub fn check_url(&self, url: &str) -> Result<Url, Problem> {
        self.egress
            .policy()
            .check(url)
            .map_err(|refused| Problem::invalid("/url", refused.code, refused.message))
    }
}

/// Where the tenant is told what happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Webhook {
    /// The webhook's id.
    pub id: Uuid,
    /// The address that is called.
    pub url: String,
    /// Which events: a kind (`user.registered`), all of a resource (`user.*`), or all (`*`).
    pub events: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it is called.
    pub enabled: bool,
    /// Why it was disabled when nobody did it: `failing` (every delivery failed for three days) or `gone` (it answered 410).
    pub disabled_reason: Option<String>,
    /// Since when every delivery fails.
    pub failing_since: Option<DateTime<Utc>>,
    /// Until when messages are signed with the secret before the current one too.
    pub previous_secret_until: Option<DateTime<Utc>>,
    /// Who created it.
    pub created_by: UserId,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
}

/// A webhook with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
pub struct WebhookWithSecret {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// What the receiver verifies signatures with: `whsec_` and base64.
    pub secret: String,
}

impl WebhookWithSecret {
    /// The webhook with this secret.
    #[must_use]
    pub fn new(webhook: Webhook, secret: &WebhookSecret) -> Self {
        Self {
            webhook,
            secret: secret.expose().expose_secret().to_owned(),
        }
    }
}

/// A webhook to set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWebhook {
    /// The address to call, with https.
    #[schema(max_length = 2048, example = "https://example.com/hook")]
    pub url: String,
    /// Which events: a kind (`user.registered`), all of a resource (`user.*`), or all (`*`). 1 to 50.
    #[schema(min_items = 1, max_items = 50, example = json!(["user.*"]))]
    pub events: Vec<String>,
    /// What it is for, at most 500 characters.
    #[schema(max_length = 500)]
    pub description: Option<String>,
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
pub struct PatchWebhook {
    /// The address to call.
    #[schema(max_length = 2048)]
    pub url: Option<String>,
    /// Which events.
    #[schema(min_items = 1, max_items = 50)]
    pub events: Option<Vec<String>>,
    /// What it is for.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 500)]
    pub description: Patch<String>,
    /// Whether it is called. Enabling one that was disabled gives it three days again.
    pub enabled: Option<bool>,
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

/// A message on its way to a webhook, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow, ToSchema)]
pub struct Delivery {
    /// The delivery's id.
    pub id: Uuid,
    /// The webhook.
    pub webhook_id: Uuid,
    /// The message's id, which the receiver gets as `webhook-id`; the same for every attempt and every replay.
    pub event_id: Uuid,
    /// What happened.
    #[sqlx(rename = "kind")]
    pub r#type: String,
    /// `pending`, `delivered` or `failed`.
    pub status: String,
    /// Attempts that were begun.
    pub attempts: i32,
    /// When it is tried next.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was tried last.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// The status that was answered last.
    pub response_status: Option<i32>,
    /// The beginning of what was answered last.
    pub response_excerpt: Option<String>,
    /// How long that took, in milliseconds.
    pub latency_ms: Option<i32>,
    /// Why the last attempt failed: `status`, `timeout`, `no_connection`, `connection_broken`, `address_refused`,
    /// `url_refused`, `webhook_disabled`, `secret_unreadable`.
    pub error: Option<String>,
    /// The delivery that this one repeats.
    pub replay_of: Option<Uuid>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it was delivered or given up.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Where a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// On its way.
    Pending,
    /// The receiver answered 2xx.
    Delivered,
    /// Given up.
    Failed,
}

impl DeliveryStatus {
    /// The status as it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

impl PatchWebhook {
    /// The webhook after the change.
    #[must_use]
    pub fn onto(self, webhook: Webhook) -> Webhook {
        let enabled = self.enabled.unwrap_or(webhook.enabled);
        // Whether it works now is found out anew.
        let anew = enabled && (!webhook.enabled || self.url.is_some());
        Webhook {
            url: self.url.unwrap_or(webhook.url),
            events: self.events.unwrap_or(webhook.events),
            description: self.description.onto(webhook.description),
            enabled,
            disabled_reason: webhook.disabled_reason.filter(|_| !enabled),
            failing_since: webhook.failing_since.filter(|_| !anew),
            ..webhook
        }
    }
}

/// 409: nothing is delivered to a webhook that is disabled.
#[must_use]
pub fn disabled() -> Problem {
    Problem::conflict("webhook_disabled", "Enable the webhook first.")
}

/// 409: a tenant has as many webhooks as it may have.
#[must_use]
pub fn too_many() -> Problem {
    Problem::conflict("too_many_webhooks", "A tenant has at most 50 webhooks.")
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
