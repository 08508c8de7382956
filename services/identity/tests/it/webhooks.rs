//! Setting up webhooks.

use bz_http::webhook::WebhookSecret;
use bz_testkit::Client;
use serde_json::{Value, json};

use crate::support::{IdentityApp, start};

fn hook() -> Value {
    json!({ "url": "https://hooks.example.com/x?token=secret", "events": ["user.*"], "description": "the CRM" })
}

async fn create(client: &Client) -> Value {
    let created = client.post("/api/webhooks", hook()).await;
    created.assert_status(201).json()
}

fn path(webhook: &Value) -> String {
    format!("/api/webhooks/{}", webhook["id"].as_str().unwrap())
}

async fn audited(app: &IdentityApp) -> Vec<(String, Value)> {
    let page = app.acme.owner.get("/api/audit-log?limit=100").await.json();
    let entry = |item: &Value| {
        (
            item["action"].as_str().unwrap().to_owned(),
            item["changes"].clone(),
        )
    };
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(entry)
        .collect()
}

#[tokio::test]
async fn a_webhook_is_created_shown_changed_and_deleted_and_each_is_an_entry() {
    let app = start().await;
    let owner = &app.acme.owner;
    let answer = owner.post("/api/webhooks", hook()).await.assert_status(201);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("etag"), Some("\"1\""));
    let mut created = answer.json();
    let secret = created.as_object_mut().unwrap().remove("secret").unwrap();
    assert!(WebhookSecret::parse(secret.as_str().unwrap()).is_some());
    let path = path(&created);

    assert_eq!(owner.get(&path).await.assert_status(200).json(), created);
    let list = owner.get("/api/webhooks").await.assert_status(200).json();
    assert_eq!(list, json!({ "items": [created], "next_cursor": null }));

    let change = json!({ "events": ["*"], "description": null, "enabled": false });
    let stale = owner
        .patch(&path, &change)
        .header("if-match", "\"7\"")
        .await;
    stale.assert_problem(412, "precondition_failed");
    let changed = owner
        .patch(&path, &change)
        .header("if-match", "\"1\"")
        .await;
    let changed = changed.assert_status(200).json();
    assert_eq!(changed["events"], json!(["*"]));
    assert_eq!(
        (&changed["description"], &changed["enabled"]),
        (&Value::Null, &json!(false))
    );
    assert_eq!(changed["version"], 2);
    for path in [format!("{path}/test"), format!("{path}/rotate-secret")] {
        let status = if path.ends_with("test") { 409 } else { 200 };
        owner.post(&path, json!({})).await.assert_status(status);
    }

    owner.delete(&path).await.assert_status(204);
    owner.delete(&path).await.assert_problem(404, "not_found");
    owner.get(&path).await.assert_problem(404, "not_found");
    let actions = audited(&app).await;
    let names: Vec<&str> = actions.iter().map(|(action, _)| action.as_str()).collect();
    assert_eq!(
        names,
        [
            "webhook.created",
            "webhook.updated",
            "webhook.secret_rotated",
            "webhook.deleted"
        ]
    );
    assert_eq!(
        actions[0].1,
        json!({ "host": "hooks.example.com", "events": ["user.*"] })
    );
}

#[tokio::test]
async fn the_same_request_with_its_key_makes_one_webhook_and_shows_its_secret_again() {
    let app = start().await;
    let post = || {
        let request = app.acme.owner.post("/api/webhooks", hook());
        request.header("idempotency-key", "once")
    };
    let first = post().await.assert_status(201);
    let again = post().await.assert_status(201);
    assert_eq!(first.json(), again.json());
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let list = app.acme.owner.get("/api/webhooks").await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

/// Pitfalls 57, 60: a secret is shown when it is made, and stands nowhere in plain: not in the webhook's row, in what is
/// kept for an idempotency key, in events or in the audit log.
#[tokio::test]
async fn a_secret_is_shown_once_and_stored_sealed() {
    let app = start().await;
    let request = app.acme.owner.post("/api/webhooks", hook());
    let created = request.header("idempotency-key", "once").await.json();
    let rotate = format!("{}/rotate-secret", path(&created));
    let rotated = app.acme.owner.post(&rotate, json!({})).await;
    assert_eq!(rotated.header("cache-control"), Some("no-store"));
    let rotated = rotated.assert_status(200).json();
    assert_ne!(created["secret"], rotated["secret"]);
    assert_eq!(rotated["previous_secret_until"], "2026-03-03T09:00:00Z");
    let shown = app.acme.owner.get(&path(&created)).await.json();
    assert_eq!(shown.get("secret"), None);

    let mut admin = app.database.admin().await;
    for table in [
        "webhooks",
        "webhook_deliveries",
        "idempotency_keys",
        "events",
        "audit_log",
    ] {
        let sql =
            format!("SELECT coalesce(string_agg(t::text, ''), '') FROM identity.{table} AS t");
        let rows: String = sqlx::query_scalar(&sql)
            .fetch_one(&mut admin)
            .await
            .unwrap();
        for secret in [&created["secret"], &rotated["secret"]] {
            let text = secret.as_str().unwrap();
            let bytes = hex::encode(WebhookSecret::parse(text).unwrap().as_bytes());
            let in_hex = hex::encode(text);
            for form in [text, &bytes, &in_hex] {
                assert!(!rows.contains(form), "{table}");
            }
        }
    }
}

#[tokio::test]
async fn webhooks_of_another_tenant_are_not_there_and_others_may_not_manage_them() {
    let app = start().await;
    let foreign = path(&create(&app.globex.owner).await);
    let owner = &app.acme.owner;
    owner.get(&foreign).await.assert_problem(404, "not_found");
    owner
        .delete(&foreign)
        .await
        .assert_problem(404, "not_found");
    let change = json!({ "enabled": false });
    owner
        .patch(&foreign, change)
        .await
        .assert_problem(404, "not_found");
    for path in ["test", "rotate-secret"] {
        let path = format!("{foreign}/{path}");
        owner
            .post(&path, json!({}))
            .await
            .assert_problem(404, "not_found");
    }
    let path = format!("{foreign}/deliveries");
    owner.get(&path).await.assert_problem(404, "not_found");
    let list = owner.get("/api/webhooks").await.json();
    assert_eq!(list["items"], json!([]));
    for client in [&app.globex.member, &app.globex.viewer] {
        client.get(&foreign).await.assert_problem(403, "forbidden");
        client
            .post("/api/webhooks", hook())
            .await
            .assert_problem(403, "forbidden");
    }
    let anonymous = app.anonymous.get(&foreign).await;
    anonymous.assert_problem(401, "unauthenticated");
}

/// Pitfall 56: addresses inside are refused when they are given; the address in force is checked again at each delivery.
#[tokio::test]
async fn what_cannot_be_a_webhook_is_refused_with_its_faults() {
    let app = start().await;
    let owner = &app.acme.owner;
    let kept = path(&create(owner).await);
    for (url, code) in [
        ("http://hooks.example.com/", "https_required"),
        ("https://127.0.0.1/", "address_not_allowed"),
        ("https://2130706433/", "address_not_allowed"),
        ("https://0x7f.1/", "address_not_allowed"),
        ("https://[::ffff:10.0.0.1]/", "address_not_allowed"),
        (
            "https://169.254.169.254/latest/meta-data",
            "address_not_allowed",
        ),
        ("https://postgres/", "address_not_allowed"),
        ("https://ada:pw@hooks.example.com/", "credentials_in_url"),
        ("hooks.example.com", "invalid_url"),
    ] {
        let body = json!({ "url": url, "events": ["*"] });
        let refused = owner.post("/api/webhooks", body).await;
        let refused = refused.assert_problem(422, "validation_failed").json();
        assert_eq!(refused["errors"][0]["code"], code, "{url}");
        let refused = owner.patch(&kept, json!({ "url": url })).await;
        refused.assert_problem(422, "validation_failed");
    }
    for body in [
        json!({ "url": "https://a.example/" }),
        json!({ "url": "https://a.example/", "events": [] }),
        json!({ "url": "https://a.example/", "events": ["User"] }),
        json!({ "url": "https://a.example/", "events": vec!["user.*"; 51] }),
        json!({ "url": "https://a.example/", "events": ["*"], "secret": "mine" }),
        json!({ "url": "https://a.example/", "events": ["*"], "description": "x".repeat(501) }),
    ] {
        let refused = owner.post("/api/webhooks", body).await;
        refused.assert_problem(422, "validation_failed");
    }
    for query in ["?limit=0", "?cursor=x", "?page=2"] {
        let list = owner.get(&format!("/api/webhooks{query}")).await;
        list.assert_problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn a_tenant_has_at_most_fifty_webhooks_in_pages() {
    let app = start().await;
    for _ in 0..50 {
        create(&app.acme.owner).await;
    }
    let refused = app.acme.owner.post("/api/webhooks", hook()).await;
    refused.assert_problem(409, "too_many_webhooks");
    create(&app.globex.owner).await;
    let first = app.acme.owner.get("/api/webhooks?limit=30").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = format!("/api/webhooks?limit=30&cursor={cursor}");
    let second = app.acme.owner.get(&second).await.json();
    assert_eq!(second["items"].as_array().unwrap().len(), 20);
    assert_eq!(second["next_cursor"], Value::Null);
}
