//! Forms on a tenant's own site.

use bz_testkit::{Client, TestApp};
use crm::Crm;
use serde_json::{Value, json};
use sqlx::query_scalar;

use crate::{events, merges::made};

const PAGE: &str = "https://www.engines.example";

fn wanted() -> Value {
    json!({
        "name": "Contact us",
        "settings": {
            "origins": [PAGE],
            "fields": [{ "input": "mail", "field": "email" }, { "input": "name", "field": "last_name" },
                       { "input": "size", "field": "employees" }],
            "honeypot": "homepage",
            "consent": { "input": "agree", "text": "You may write to me.", "required": true },
            "tags": ["web"],
            "success_redirect": "https://www.engines.example/thanks"
        }
    })
}

/// A form; answers where it posts to.
async fn form(owner: &Client, wanted: Value) -> String {
    let form = owner
        .post("/api/capture-forms", wanted)
        .await
        .assert_status(201)
        .json();
    format!("/api/leads/capture/{}", form["key"].as_str().unwrap())
}

async fn leads(app: &TestApp<Crm>) -> Vec<Value> {
    let list = app
        .acme
        .viewer
        .get("/api/leads")
        .await
        .assert_status(200)
        .json();
    list["items"].as_array().unwrap().clone()
}

async fn submissions(app: &TestApp<Crm>) -> i64 {
    query_scalar("SELECT count(*) FROM crm.capture_submissions")
        .fetch_one(&mut app.database.admin().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_submission_without_a_token_becomes_a_lead_with_its_consent() {
    let app = TestApp::<Crm>::start().await;
    let path = form(&app.acme.owner, wanted()).await;
    let sent = json!({
        "mail": " ada@engines.example ", "name": "Lovelace", "size": 7, "agree": true, "utm_source": "news", "utm_campaign": "may",
        "homepage": ""
    });
    let answer = app
        .anonymous
        .post(&path, sent)
        .header("origin", PAGE)
        .from("203.0.113.7".parse().unwrap())
        .await;
    let answer = answer.assert_status(202);
    assert_eq!(answer.json(), json!({ "status": "received" }));
    assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE));
    let leads = leads(&app).await;
    let lead = &leads[0];
    assert_eq!(
        (
            &lead["email"],
            &lead["last_name"],
            &lead["employees"],
            &lead["source"],
            &lead["campaign"],
            &lead["tags"]
        ),
        (
            &json!("ada@engines.example"),
            &json!("Lovelace"),
            &json!(7),
            &json!("form"),
            &json!("may"),
            &json!(["web"])
        )
    );
    assert_eq!(
        lead["utm"],
        json!({ "utm_source": "news", "utm_campaign": "may" })
    );
    let consent = &lead["consent"];
    assert_eq!(
        (&consent["given"], &consent["text"]),
        (&json!(true), &json!("You may write to me."))
    );
    let digest = consent["ip_digest"].as_str().unwrap();
    assert!(digest.len() == 32 && !consent.to_string().contains("203.0.113.7"));
    assert_eq!(
        (leads.len(), submissions(&app).await, events(&app).await),
        (1, 1, vec!["lead.created".to_owned()])
    );
}

#[tokio::test]
async fn every_submission_is_answered_alike_and_only_wanted_ones_are_kept() {
    let app = TestApp::<Crm>::start().await;
    let path = form(&app.acme.owner, wanted()).await;
    let good = json!({ "mail": "ada@engines.example", "agree": "on" });
    let mut trapped = good.clone();
    trapped["homepage"] = json!("http://spam.example");
    for (path, body, origin) in [
        (path.as_str(), &trapped, PAGE),
        (
            path.as_str(),
            &good,
            "https://www.engines.example.evil.example",
        ),
        (path.as_str(), &good, "http://www.engines.example"),
        (
            path.as_str(),
            &json!({ "mail": "ada@engines.example", "agree": "false" }),
            PAGE,
        ),
        (
            "/api/leads/capture/0123456789abcdef0123456789abcdef",
            &good,
            PAGE,
        ),
    ] {
        let answer = app
            .anonymous
            .post(path, body)
            .header("origin", origin)
            .await
            .assert_status(202);
        assert_eq!(answer.json(), json!({ "status": "received" }));
        assert!(origin == PAGE || answer.header("access-control-allow-origin").is_none());
    }
    assert_eq!((leads(&app).await.len(), submissions(&app).await), (0, 0));
    // What is not valid makes no lead, but is not lost.
    let odd = json!({ "mail": "nowhere", "name": "Ada", "agree": "yes" });
    app.anonymous
        .post(&path, odd)
        .header("origin", PAGE)
        .await
        .assert_status(202);
    assert_eq!((leads(&app).await.len(), submissions(&app).await), (0, 1));
}

#[tokio::test]
async fn the_same_submission_again_and_the_same_address_make_no_second_lead() {
    let app = TestApp::<Crm>::start().await;
    let path = form(&app.acme.owner, wanted()).await;
    let there = made(
        &app.acme.member,
        "/api/leads",
        json!({ "email": "ADA@engines.example", "last_name": "King" }),
    )
    .await;
    let body = json!({ "mail": "ada@engines.example", "name": "Mallory", "size": 7, "agree": true, "submission_id": "s-1" });
    for _ in 0..2 {
        app.anonymous
            .post(&path, &body)
            .header("origin", PAGE)
            .await
            .assert_status(202);
    }
    let key = app
        .anonymous
        .post(&path, &body)
        .header("idempotency-key", "s-1");
    key.await.assert_status(202);
    let leads = leads(&app).await;
    assert_eq!((leads.len(), submissions(&app).await), (1, 1));
    // Nothing that was there is replaced by what anybody may send.
    let lead = &leads[0];
    assert_eq!(
        (
            &lead["id"],
            &lead["last_name"],
            &lead["employees"],
            &lead["version"]
        ),
        (&json!(there), &json!("King"), &json!(7), &json!(2))
    );
    // A lead that is closed is not opened again: a new one is made.
    let path_of = format!("/api/leads/{there}");
    app.acme
        .member
        .patch(&path_of, json!({ "status": "unqualified" }))
        .await
        .assert_status(200);
    let again = json!({ "mail": "ada@engines.example", "agree": true });
    app.anonymous.post(&path, again).await.assert_status(202);
    assert_eq!(self::leads(&app).await.len(), 2);
}

#[tokio::test]
async fn a_browser_that_sends_the_form_itself_is_led_on() {
    let app = TestApp::<Crm>::start().await;
    let path = form(&app.acme.owner, wanted()).await;
    let sent = app
        .anonymous
        .post(&path, json!({}))
        .form(&[("mail", "ada@engines.example"), ("agree", "on")]);
    let sent = sent
        .header("origin", PAGE)
        .header("accept", "text/html,*/*")
        .await
        .assert_status(303);
    assert_eq!(
        sent.header("location"),
        Some("https://www.engines.example/thanks")
    );
    assert_eq!(leads(&app).await.len(), 1);
}

#[tokio::test]
async fn a_page_asks_before_it_sends_and_only_the_forms_own_may() {
    let app = TestApp::<Crm>::start().await;
    let path = form(&app.acme.owner, wanted()).await;
    let ask = async |origin: &str| {
        let asked = app.anonymous.request(axum::http::Method::OPTIONS, &path);
        asked
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .await
            .assert_status(204)
    };
    let own = ask(PAGE).await;
    assert_eq!(own.header("access-control-allow-origin"), Some(PAGE));
    assert_eq!(
        own.header("access-control-allow-headers"),
        Some("content-type, idempotency-key")
    );
    assert_eq!(
        ask("https://evil.example")
            .await
            .header("access-control-allow-origin"),
        None
    );
}

#[tokio::test]
async fn one_network_submits_so_often_and_another_still_may() {
    let app = TestApp::<Crm>::start().await;
    let path = form(&app.acme.owner, wanted()).await;
    let send = async |ip: &str| {
        let trapped = json!({ "homepage": "x" });
        app.anonymous
            .post(&path, trapped)
            .from(ip.parse().unwrap())
            .await
    };
    for _ in 0..30 {
        send("203.0.113.7").await.assert_status(202);
    }
    let refused = send("203.0.113.7")
        .await
        .assert_problem(429, "rate_limited");
    assert!(refused.header("retry-after").is_some());
    send("203.0.113.8").await.assert_status(202);
}

#[tokio::test]
async fn what_is_no_form_is_a_problem() {
    let app = TestApp::<Crm>::start().await;
    let path = form(&app.acme.owner, wanted()).await;
    let send = async |kind: &str, body: &str| {
        app.anonymous
            .post(&path, json!({}))
            .body(kind, body.to_owned())
            .await
    };
    send("application/json", "{")
        .await
        .assert_problem(400, "malformed_json");
    send("text/plain", "x")
        .await
        .assert_problem(415, "unsupported_media_type");
    send("application/json", r#"{"mail":{"a":1}}"#)
        .await
        .assert_problem(422, "validation_failed");
    let large = format!(r#"{{"mail":"{}"}}"#, "x".repeat(70_000));
    send("application/json", &large)
        .await
        .assert_problem(413, "payload_too_large");
    assert_eq!(submissions(&app).await, 0);
}

#[tokio::test]
async fn a_form_is_made_read_changed_and_deleted_by_administrators() {
    let app = TestApp::<Crm>::start().await;
    let owner = &app.acme.owner;
    let send = async || {
        owner
            .post("/api/capture-forms", wanted())
            .header("idempotency-key", "once")
            .await
    };
    let (first, again) = (
        send().await.assert_status(201),
        send().await.assert_status(201),
    );
    assert_eq!(first.json(), again.json());
    owner
        .post("/api/capture-forms", wanted())
        .await
        .assert_problem(409, "name_taken");
    let path = format!(
        "/api/capture-forms/{}",
        first.json()["id"].as_str().unwrap()
    );
    assert_eq!(
        app.acme.viewer.get(&path).await.assert_status(200).json(),
        first.json()
    );
    app.globex
        .owner
        .get(&path)
        .await
        .assert_problem(404, "not_found");
    app.acme
        .member
        .put(&path, wanted())
        .await
        .assert_problem(403, "forbidden");
    owner
        .put(&path, wanted())
        .header("if-match", "\"7\"")
        .await
        .assert_problem(412, "precondition_failed");
    let mut changed = wanted();
    changed["enabled"] = json!(false);
    let off = owner.put(&path, changed).await.assert_status(200).json();
    assert_eq!(
        (&off["key"], &off["version"]),
        (&first.json()["key"], &json!(2))
    );
    let public = format!("/api/leads/capture/{}", off["key"].as_str().unwrap());
    let sent = json!({ "mail": "ada@engines.example", "agree": true });
    app.anonymous
        .post(&public, sent)
        .header("origin", PAGE)
        .await
        .assert_status(202);
    assert_eq!(leads(&app).await.len(), 0);
    for (pointer, value) in [
        ("/origins", json!(["https://www.engines.example/"])),
        ("/origins", json!([])),
        ("/fields", json!([{ "input": "a", "field": "owner_id" }])),
        (
            "/fields",
            json!([{ "input": "a", "field": "email" }, { "input": "b", "field": "email" }]),
        ),
        ("/success_redirect", json!("javascript:alert(1)")),
    ] {
        let mut bad = wanted();
        *bad.pointer_mut(&format!("/settings{pointer}")).unwrap() = value;
        owner
            .post("/api/capture-forms", bad)
            .await
            .assert_problem(422, "validation_failed");
    }
    owner.delete(&path).await.assert_status(204);
    owner.delete(&path).await.assert_problem(404, "not_found");
    assert_eq!(
        app.acme.viewer.get("/api/capture-forms").await.json(),
        json!({ "items": [], "next_cursor": null })
    );
}
