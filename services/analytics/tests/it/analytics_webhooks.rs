//! The webhooks of analytics: set up, delivered, signed, replayed. The rules of delivery are tested in identity, which shares them.

use std::time::Duration;

use analytics::Analytics;
use bz_http::webhook::{self, WebhookSecret};
use bz_testkit::{Client, NOW, Receiver, TestApp, wait_until};
use serde_json::{Value, json};

use crate::reports;

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn start() -> TestApp<Analytics> {
    TestApp::<Analytics>::builder()
        .env("EGRESS_ALLOW", "127.0.0.1")
        .start()
        .await
}

pub(crate) async fn hook(client: &Client, url: &str, events: &[&str]) -> Value {
    let made = client
        .post(
            "/api/analytics/webhooks",
            json!({ "url": url, "events": events }),
        )
        .await;
    made.assert_status(201).json()
}

fn path(webhook: &Value, rest: &str) -> String {
    format!(
        "/api/analytics/webhooks/{}{rest}",
        webhook["id"].as_str().unwrap()
    )
}

#[tokio::test]
async fn a_report_that_is_done_is_told_to_the_tenants_webhooks_signed() {
    let mut app = start().await;
    let (ours, foreign) = (
        Receiver::answering(200).await,
        Receiver::answering(200).await,
    );
    let webhook = hook(&app.acme.owner, &ours.url, &["report.*"]).await;
    hook(&app.globex.owner, &foreign.url, &["*"]).await;
    let ordered = app.acme.member.post("/api/reports", reports::wanted());
    let report = ordered.await.assert_status(202).json();
    app.start_jobs();
    wait_until(async || ours.messages().len() == 1, PATIENCE).await;
    app.stop_jobs().await;

    let secret = WebhookSecret::parse(webhook["secret"].as_str().unwrap()).unwrap();
    let messages = ours.messages();
    let (headers, body) = (&messages[0].headers, messages[0].json());
    webhook::verify(
        &secret,
        headers,
        messages[0].body.as_bytes(),
        NOW.timestamp(),
    )
    .unwrap();
    assert_eq!(body["type"], "report.succeeded");
    assert_eq!(body["data"]["report_id"], report["id"]);
    assert!(foreign.messages().is_empty());
}

#[tokio::test]
async fn a_webhook_is_set_up_changed_tested_replayed_and_deleted_by_administrators_only() {
    let mut app = start().await;
    let receiver = Receiver::answering(500).await;
    let owner = &app.acme.owner;
    let mut webhook = hook(owner, &receiver.url, &["*"]).await;
    let secret = webhook.as_object_mut().unwrap().remove("secret").unwrap();
    assert!(WebhookSecret::parse(secret.as_str().unwrap()).is_some());
    assert_eq!(
        owner
            .get(&path(&webhook, ""))
            .await
            .assert_status(200)
            .json(),
        webhook
    );
    let list = owner
        .get("/api/analytics/webhooks")
        .await
        .assert_status(200)
        .json();
    assert_eq!(list, json!({ "items": [webhook], "next_cursor": null }));
    app.acme
        .member
        .get("/api/analytics/webhooks")
        .await
        .assert_problem(403, "forbidden");
    app.globex
        .owner
        .get(&path(&webhook, ""))
        .await
        .assert_problem(404, "not_found");
    let refused = json!({ "url": "http://169.254.169.254/", "events": ["*"] });
    owner
        .post("/api/analytics/webhooks", refused)
        .await
        .assert_problem(422, "validation_failed");
    let changed = owner
        .patch(
            &path(&webhook, ""),
            json!({ "events": ["report.succeeded"] }),
        )
        .header("if-match", "\"1\"")
        .await;
    assert_eq!(
        changed.assert_status(200).json()["events"],
        json!(["report.succeeded"])
    );
    let rotated = owner
        .post(&path(&webhook, "/rotate-secret"), json!({}))
        .await
        .assert_status(200)
        .json();
    assert_ne!(rotated["secret"], secret);

    let queued = owner
        .post(&path(&webhook, "/test"), json!({}))
        .await
        .assert_status(202)
        .json();
    assert_eq!(queued["type"], "webhook.test");
    app.start_jobs();
    wait_until(async || receiver.messages().len() == 1, PATIENCE).await;
    receiver.answer_from_now_on(200);
    // When it is tried again counts from when its failure was written down.
    let deliveries = path(&webhook, "/deliveries");
    let written = async || {
        let first = app.acme.owner.get(&deliveries).await.json()["items"][0].clone();
        first["error"].is_string()
    };
    wait_until(written, PATIENCE).await;
    let again = format!(
        "/api/analytics/webhooks/deliveries/{}/replay",
        queued["id"].as_str().unwrap()
    );
    app.globex
        .owner
        .post(&again, json!({}))
        .await
        .assert_problem(404, "not_found");
    app.acme
        .owner
        .post(&again, json!({}))
        .await
        .assert_status(202);
    app.clock.advance(chrono::TimeDelta::seconds(7));
    wait_until(async || receiver.messages().len() >= 3, PATIENCE).await;
    let delivered = path(&webhook, "/deliveries?status=delivered");
    let both = async || {
        app.acme.owner.get(&delivered).await.json()["items"]
            .as_array()
            .unwrap()
            .len()
            == 2
    };
    wait_until(both, PATIENCE).await;
    app.stop_jobs().await;
    app.acme
        .owner
        .delete(&path(&webhook, ""))
        .await
        .assert_status(204);
    app.acme
        .owner
        .delete(&path(&webhook, ""))
        .await
        .assert_problem(404, "not_found");
}
