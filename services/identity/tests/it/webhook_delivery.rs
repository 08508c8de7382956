//! Delivering webhooks: who gets what, how often, and when it is given up.

use std::time::Duration;

use bz_http::webhook::{self, WebhookSecret};
use bz_testkit::{
    Client, NOW, Receiver, Tenant,
    receiver::{Message, SILENCE},
    wait_until,
};
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{IdentityApp, builder};

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn start() -> IdentityApp {
    builder().env("EGRESS_ALLOW", "127.0.0.1").start().await
}

pub(crate) async fn hook(client: &Client, receiver: &Receiver, events: &[&str]) -> Value {
    let body = json!({ "url": receiver.url, "events": events });
    let created = client.post("/api/webhooks", body).await;
    created.assert_status(201).json()
}

fn path(webhook: &Value, rest: &str) -> String {
    format!("/api/webhooks/{}{rest}", webhook["id"].as_str().unwrap())
}

/// Makes something happen in a tenant.
async fn happen(app: &IdentityApp, tenant: Tenant, kind: &str) -> Uuid {
    let id = app.core.sources.id();
    let mut tx = app.db().tenant(&tenant.scope()).await.unwrap();
    let sql = "INSERT INTO identity.events (id, kind, at, data) VALUES ($1, $2, $3, '{\"n\": 1}')";
    let insert = sqlx::query(sql)
        .bind(id)
        .bind(kind)
        .bind(app.core.sources.now());
    insert.execute(tx.conn()).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn deliveries(client: &Client, webhook: &Value, query: &str) -> Vec<Value> {
    let path = path(webhook, &format!("/deliveries{query}"));
    let page = client.get(&path).await.assert_status(200).json();
    page["items"].as_array().unwrap().clone()
}

/// Waits until so many attempts were made and none is under way, which the lease tells.
async fn settled(app: &IdentityApp, attempts: i64) {
    let sql = "SELECT coalesce(sum(attempts), 0)::bigint, \
               coalesce(bool_and(status <> 'pending' \
                 OR (error IS NOT NULL AND next_attempt_at <> last_attempt_at + interval '60 s')), true) FROM identity.webhook_deliveries";
    let mut admin = app.database.admin().await;
    let quiet = async || {
        let (made, reported): (i64, bool) =
            sqlx::query_as(sql).fetch_one(&mut admin).await.unwrap();
        made == attempts && reported
    };
    wait_until(quiet, PATIENCE).await;
}

fn verifies(secret: &Value, message: &Message) -> bool {
    let secret = WebhookSecret::parse(secret.as_str().unwrap()).unwrap();
    let now = NOW.timestamp();
    webhook::verify(&secret, &message.headers, message.body.as_bytes(), now).is_ok()
}

#[tokio::test]
async fn an_event_goes_to_the_webhooks_of_its_tenant_that_want_it_once_and_signed() {
    let mut app = start().await;
    let (all, users, foreign) = (
        Receiver::answering(200).await,
        Receiver::answering(201).await,
        Receiver::answering(200).await,
    );
    let of_all = hook(&app.acme.owner, &all, &["*"]).await;
    let of_users = hook(&app.acme.owner, &users, &["user.*", "user.changed"]).await;
    hook(&app.globex.owner, &foreign, &["*"]).await;
    let changed = happen(&app, Tenant::Acme, "user.changed").await;
    let other = happen(&app, Tenant::Acme, "tenant.changed").await;
    app.start_jobs();
    settled(&app, 3).await;
    app.stop_jobs().await;

    assert_eq!((all.count(), users.count(), foreign.count()), (2, 1, 0));
    let message = &users.messages()[0];
    assert_eq!(
        message.json(),
        json!({
            "id": changed, "type": "user.changed", "timestamp": "2026-03-02T09:00:00Z",
            "tenant_id": Tenant::Acme.id(), "data": { "n": 1 },
        })
    );
    assert_eq!(message.id(), changed.to_string());
    assert_eq!(message.headers["content-type"], "application/json");
    assert!(verifies(&of_users["secret"], message) && !verifies(&of_all["secret"], message));
    assert!(
        all.messages()
            .iter()
            .any(|message| message.id() == other.to_string())
    );

    let listed = deliveries(&app.acme.owner, &of_users, "?status=delivered").await;
    let mut listed = listed[0].clone();
    assert!(listed["latency_ms"].is_number());
    listed["latency_ms"] = json!(0);
    assert_eq!(
        listed,
        json!({
            "id": listed["id"], "webhook_id": of_users["id"], "event_id": changed, "type": "user.changed",
            "status": "delivered", "attempts": 1, "next_attempt_at": null, "last_attempt_at": "2026-03-02T09:00:00Z",
            "response_status": 201, "response_excerpt": "hello", "latency_ms": 0, "error": null, "replay_of": null,
            "created_at": "2026-03-02T09:00:00Z", "finished_at": "2026-03-02T09:00:00Z",
        })
    );
    assert!(
        deliveries(&app.acme.owner, &of_users, "?status=failed")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_failed_delivery_is_tried_again_later_and_can_be_replayed() {
    let mut app = start().await;
    let receiver = Receiver::answering(500).await;
    let webhook = hook(&app.acme.owner, &receiver, &["*"]).await;
    happen(&app, Tenant::Acme, "user.changed").await;
    app.start_jobs();
    settled(&app, 1).await;
    let waiting = deliveries(&app.acme.owner, &webhook, "?status=pending").await;
    assert_eq!(
        (&waiting[0]["response_status"], &waiting[0]["error"]),
        (&json!(500), &json!("status"))
    );
    let next = waiting[0]["next_attempt_at"].as_str().unwrap();
    assert!(next.starts_with("2026-03-02T09:00:05"), "{next}");
    let shown = app.acme.owner.get(&path(&webhook, "")).await.json();
    assert_eq!(shown["failing_since"], "2026-03-02T09:00:00Z");

    receiver.answer_from_now_on(200);
    app.clock.advance(TimeDelta::seconds(6));
    settled(&app, 2).await;
    let delivered = deliveries(&app.acme.owner, &webhook, "?status=delivered").await;
    assert_eq!(delivered[0]["attempts"], 2);
    let shown = app.acme.owner.get(&path(&webhook, "")).await.json();
    assert_eq!(shown["failing_since"], Value::Null);

    let id = delivered[0]["id"].as_str().unwrap();
    let replay = format!("/api/webhooks/deliveries/{id}/replay");
    let foreign = app.globex.owner.post(&replay, json!({})).await;
    foreign.assert_problem(404, "not_found");
    let again = app.acme.owner.post(&replay, json!({})).await;
    let again = again.assert_status(202).json();
    assert_eq!(again["replay_of"], delivered[0]["id"]);
    settled(&app, 3).await;
    let ids: Vec<String> = receiver
        .messages()
        .iter()
        .map(|message| message.id().to_owned())
        .collect();
    assert!(
        ids.len() == 3 && ids.iter().all(|id| *id == ids[0]),
        "{ids:?}"
    );
    app.stop_jobs().await;
}

/// Pitfall 57: during the overlap of a rotation messages carry a signature with each of the two secrets.
#[tokio::test]
async fn after_a_rotation_both_secrets_sign_for_a_day() {
    let mut app = start().await;
    let receiver = Receiver::answering(200).await;
    let webhook = hook(&app.acme.owner, &receiver, &["*"]).await;
    let rotate = path(&webhook, "/rotate-secret");
    let rotated = app.acme.owner.post(&rotate, json!({})).await.json();
    let test = path(&webhook, "/test");
    let queued = app.acme.owner.post(&test, json!({})).await;
    let queued = queued.assert_status(202).json();
    assert_eq!(
        (&queued["type"], &queued["status"]),
        (&json!("webhook.test"), &json!("pending"))
    );
    app.start_jobs();
    settled(&app, 1).await;
    let message = &receiver.messages()[0];
    assert!(verifies(&webhook["secret"], message) && verifies(&rotated["secret"], message));

    app.clock.advance(TimeDelta::hours(24));
    app.acme
        .owner
        .post(&test, json!({}))
        .await
        .assert_status(202);
    settled(&app, 2).await;
    let signatures = &receiver.messages()[1].headers["webhook-signature"];
    assert_eq!(signatures.to_str().unwrap().split(' ').count(), 1);
    app.stop_jobs().await;
}

#[tokio::test]
async fn a_webhook_that_fails_for_three_days_is_disabled_and_can_be_enabled() {
    let mut app = start().await;
    let (broken, witness) = (
        Receiver::answering(503).await,
        Receiver::answering(200).await,
    );
    let webhook = hook(&app.acme.owner, &broken, &["user.*"]).await;
    hook(&app.acme.owner, &witness, &["webhook.*"]).await;
    happen(&app, Tenant::Acme, "user.changed").await;
    app.start_jobs();
    settled(&app, 1).await;
    app.clock.advance(TimeDelta::hours(71));
    settled(&app, 2).await;
    let shown = app.acme.owner.get(&path(&webhook, "")).await.json();
    assert_eq!(shown["enabled"], true);
    app.clock.advance(TimeDelta::hours(2));
    // The third attempt, and the message about it to the other webhook.
    settled(&app, 4).await;
    let shown = app.acme.owner.get(&path(&webhook, "")).await.json();
    assert_eq!(
        (&shown["enabled"], &shown["disabled_reason"]),
        (&json!(false), &json!("failing"))
    );
    let told = witness.messages()[0].json();
    assert_eq!(told["type"], "webhook.disabled");
    assert_eq!(
        told["data"],
        json!({ "webhook_id": webhook["id"], "reason": "failing" })
    );
    let audited = app
        .acme
        .owner
        .get("/api/audit-log?action=webhook.disabled")
        .await
        .json();
    assert_eq!(audited["items"][0]["actor"]["type"], "system");

    let failed = deliveries(&app.acme.owner, &webhook, "?status=failed").await;
    let replay = format!(
        "/api/webhooks/deliveries/{}/replay",
        failed[0]["id"].as_str().unwrap()
    );
    let refused = app.acme.owner.post(&replay, json!({})).await;
    refused.assert_problem(409, "webhook_disabled");
    let enable = json!({ "enabled": true });
    let enabled = app
        .acme
        .owner
        .patch(&path(&webhook, ""), enable)
        .await
        .json();
    assert_eq!(
        (&enabled["disabled_reason"], &enabled["failing_since"]),
        (&Value::Null, &Value::Null)
    );
    broken.answer_from_now_on(200);
    app.acme
        .owner
        .post(&replay, json!({}))
        .await
        .assert_status(202);
    settled(&app, 5).await;
    assert_eq!(broken.count(), 4);
    app.stop_jobs().await;
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_not_called_again() {
    let mut app = start().await;
    let receiver = Receiver::answering(410).await;
    let webhook = hook(&app.acme.owner, &receiver, &["user.*"]).await;
    happen(&app, Tenant::Acme, "user.changed").await;
    app.start_jobs();
    settled(&app, 1).await;
    happen(&app, Tenant::Acme, "user.changed").await;
    app.clock.advance(TimeDelta::days(1));
    let shown = app.acme.owner.get(&path(&webhook, "")).await.json();
    assert_eq!(shown["disabled_reason"], "gone");
    app.stop_jobs().await;
    assert_eq!(receiver.count(), 1);
    assert_eq!(deliveries(&app.acme.owner, &webhook, "").await.len(), 1);
}

/// Pitfall 56: an address that is allowed no more, or that a redirect points to, is not called.
#[tokio::test]
async fn the_address_is_checked_at_every_delivery_and_redirects_are_failures() {
    let mut app = start().await;
    let receiver = Receiver::answering(302).await;
    let webhook = hook(&app.acme.owner, &receiver, &["*"]).await;
    happen(&app, Tenant::Acme, "user.changed").await;
    app.start_jobs();
    settled(&app, 1).await;
    app.stop_jobs().await;
    let failed = deliveries(&app.acme.owner, &webhook, "").await;
    assert_eq!(failed[0]["response_status"], 302);

    let mut stricter = builder().beside(&app).start().await;
    app.clock.advance(TimeDelta::seconds(6));
    stricter.start_jobs();
    settled(&app, 2).await;
    stricter.stop_jobs().await;
    let refused = deliveries(&app.acme.owner, &webhook, "").await;
    assert_eq!(refused[0]["error"], "url_refused");
    assert_eq!(receiver.count(), 1);
}

/// A tenant whose receiver hangs holds up nobody else, and two replicas deliver nothing twice.
#[tokio::test]
async fn a_silent_receiver_holds_up_its_own_tenant_only() {
    let mut app = start().await;
    let (silent, quick) = (
        Receiver::answering(SILENCE).await,
        Receiver::answering(200).await,
    );
    hook(&app.acme.owner, &silent, &["*"]).await;
    hook(&app.globex.owner, &quick, &["*"]).await;
    for _ in 0..60 {
        happen(&app, Tenant::Acme, "user.changed").await;
    }
    for _ in 0..20 {
        happen(&app, Tenant::Globex, "user.changed").await;
    }
    let mut replica = builder()
        .env("EGRESS_ALLOW", "127.0.0.1")
        .beside(&app)
        .start()
        .await;
    app.start_jobs();
    replica.start_jobs();
    wait_until(async || quick.count() == 20, PATIENCE).await;
    assert!(
        silent.open() <= 14,
        "two replicas, at most seven each: {}",
        silent.open()
    );
    let mut ids: Vec<String> = quick
        .messages()
        .iter()
        .map(|message| message.id().to_owned())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
}
