//! One attempt to deliver a message, and what becomes of it.

use std::time::Duration;

use bytes::Bytes;
use bz_http::{
    egress::{EgressAnswer, EgressError},
    webhook::{self, WebhookSecret},
};
use bz_kernel::TenantId;
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::json;
use uuid::Uuid;

use super::{
    PATIENCE, WebhookObserver, WebhookSender,
    store::{self, Delivery, Report},
};

/// The most of an answer that is kept, in characters.
const MOST_CHARACTERS: usize = 500;

/// Why a webhook was disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisabledBecause {
    /// Every delivery failed for three days.
    Failing,
    /// It answered 410 Gone.
    Gone,
}

impl DisabledBecause {
    /// The reason as it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Gone => "gone",
        }
    }
}

impl<O: WebhookObserver> WebhookSender<O> {
    /// Makes one attempt at a delivery that was taken, and writes down what became of it. No transaction is open while
    /// the other side is called.
    pub(super) async fn attempt(&self, tenant: TenantId, id: Uuid) -> Result<(), DbError> {
        let scope = TenantScope::new(tenant, None);
        let mut tx = self.db.read(&scope).await?;
        let Some(delivery) = store::load(&mut tx, id).await? else {
            return Ok(());
        };
        drop(tx);
        let report = if delivery.enabled {
            self.send(tenant, &delivery).await
        } else {
            Report::failed("webhook_disabled")
        };
        let outcome = if report.success {
            "delivered"
        } else {
            "failed"
        };
        metrics::counter!("webhook_attempts_total", "schema" => self.db.schema(), "outcome" => outcome)
            .increment(1);
        let mut tx = self.db.tenant(&scope).await?;
        self.write_down(&mut tx, &delivery, &report).await?;
        tx.commit().await
    }

    async fn send(&self, tenant: TenantId, delivery: &Delivery) -> Report {
        let now = self.sources.now();
        let secrets = self.secrets(delivery, now);
        if secrets.is_empty() {
            return Report::failed("secret_unreadable");
        }
        let body = json!({
            "id": delivery.event_id,
            "type": delivery.kind,
            "timestamp": delivery.event_at,
            "tenant_id": tenant,
            "data": delivery.data,
        });
        let body = Bytes::from(body.to_string());
        let id = delivery.event_id.to_string();
        let mut headers = webhook::headers(&secrets, &id, now.timestamp(), &body);
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
        let answer = self.egress.send(Method::POST, &delivery.url, headers, body);
        report(answer.await)
    }

    /// The live secrets, the new one first.
    fn secrets(&self, delivery: &Delivery, now: DateTime<Utc>) -> Vec<WebhookSecret> {
        let previous = delivery.previous_secret.as_ref();
        let live = delivery
            .previous_secret_until
            .is_some_and(|until| now < until);
        let sealed = [Some(&delivery.secret), previous.filter(|_| live)];
        let open = |sealed: &Vec<u8>| self.sealer.open(delivery.webhook.as_bytes(), sealed).ok();
        let opened = sealed.into_iter().flatten().filter_map(open);
        opened.map(WebhookSecret::from_bytes).collect()
    }

    /// The webhook's row comes first, as it does when a webhook is deleted with its deliveries.
    async fn write_down(
        &self,
        tx: &mut TenantTx,
        delivery: &Delivery,
        report: &Report,
    ) -> Result<(), DbError> {
        let now = self.sources.now();
        if report.success {
            store::recovered(tx, delivery.webhook).await?;
            return store::finish(tx, delivery, report, now).await;
        }
        let because = match store::failing_since(tx, delivery.webhook, now).await? {
            _ if report.status == Some(StatusCode::GONE.as_u16()) => Some(DisabledBecause::Gone),
            Some(since) if now - since >= PATIENCE => Some(DisabledBecause::Failing),
            _ => None,
        };
        if let Some(because) = because
            && store::disable(tx, delivery.webhook, because.as_str(), now).await?
        {
            self.observer
                .disabled(tx, delivery.webhook, because)
                .await?;
        }
        match self.next_attempt(delivery, now) {
            Some(at) if delivery.enabled && because.is_none() => {
                store::try_again(tx, delivery, report, at).await
            }
            _ => store::finish(tx, delivery, report, now).await,
        }
    }

    fn next_attempt(&self, delivery: &Delivery, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let attempts = u32::try_from(delivery.attempts).ok()?;
        let pause = webhook::pause_after(attempts, &self.sources.rng)?;
        Some(now + TimeDelta::from_std(pause).ok()?)
    }
}

fn report(answer: Result<EgressAnswer, EgressError>) -> Report {
    match answer {
        Ok(answer) => Report {
            success: answer.status.is_success(),
            status: Some(answer.status.as_u16()),
            excerpt: Some(excerpt(&answer.body)),
            latency: Some(answer.elapsed),
            error: (!answer.status.is_success()).then_some("status"),
        },
        Err(error) => Report::failed(error.code()),
    }
}

/// The beginning of an answer, as text that can be stored.
fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let kept = text.chars().filter(|character| *character != '\0');
    kept.take(MOST_CHARACTERS).collect()
}

impl Report {
    const fn failed(error: &'static str) -> Self {
        Self {
            success: false,
            status: None,
            excerpt: None,
            latency: None,
            error: Some(error),
        }
    }

    /// The time that the answer took, in milliseconds.
    pub(super) fn millis(&self) -> Option<i32> {
        self.latency
            .as_ref()
            .map(Duration::as_millis)
            .and_then(|millis| i32::try_from(millis).ok())
    }
}
