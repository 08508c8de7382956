//! Alerts: set up, changed, deleted, looked at.

use analytics::Analytics;
use bz_testkit::TestApp;
use serde_json::{Value, json};

pub(crate) fn wanted() -> Value {
    json!({
        "name": "Cost too high",
        "definition": {
            "metric": "google-ads.cost", "granularity": "day", "timezone": "Europe/Berlin",
            "rule": { "above": { "than": "1000" } }, "mail": ["ada@engines.example"]
        }
    })
}

#[tokio::test]
async fn an_alert_is_set_up_seen_changed_on_its_version_and_deleted() {
    let app = TestApp::<Analytics>::start().await;
    let member = &app.acme.member;
    let made = member
        .post("/api/alerts", wanted())
        .await
        .assert_status(201)
        .json();
    assert_eq!(
        (
            &made["state"],
            &made["definition"]["rule"],
            &made["definition"]["confirm"]
        ),
        (
            &json!("ok"),
            &json!({ "above": { "than": "1000" } }),
            &json!(1)
        )
    );
    let path = format!("/api/alerts/{}", made["id"].as_str().unwrap());
    assert_eq!(
        app.acme.viewer.get(&path).await.assert_status(200).json(),
        made
    );
    let list = app
        .acme
        .viewer
        .get("/api/alerts")
        .await
        .assert_status(200)
        .json();
    assert_eq!(list, json!({ "items": [made], "next_cursor": null }));
    let off = member
        .patch(&path, json!({ "enabled": false }))
        .header("if-match", "\"1\"")
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&off["enabled"], &off["version"]),
        (&json!(false), &json!(2))
    );
    member
        .patch(&path, json!({ "name": "Other" }))
        .header("if-match", "\"1\"")
        .await
        .assert_problem(412, "precondition_failed");
    let mut definition = wanted()["definition"].clone();
    definition["rule"] = json!({ "band": { "sensitivity": "3" } });
    let changed = member
        .patch(&path, json!({ "definition": definition }))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        changed["definition"]["rule"],
        json!({ "band": { "sensitivity": "3", "side": "both" } })
    );
    member.delete(&path).await.assert_status(204);
    member.delete(&path).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn the_same_key_makes_one_alert_and_others_neither_see_nor_change_it() {
    let app = TestApp::<Analytics>::start().await;
    let send = || {
        app.acme
            .member
            .post("/api/alerts", wanted())
            .header("idempotency-key", "once")
    };
    let first = send().await.assert_status(201).json();
    assert_eq!(send().await.assert_status(201).json()["id"], first["id"]);
    let path = format!("/api/alerts/{}", first["id"].as_str().unwrap());
    app.globex
        .member
        .get(&path)
        .await
        .assert_problem(404, "not_found");
    app.globex
        .member
        .patch(&path, json!({ "name": "Mine" }))
        .await
        .assert_problem(404, "not_found");
    app.globex
        .member
        .delete(&path)
        .await
        .assert_problem(404, "not_found");
    app.acme
        .viewer
        .post("/api/alerts", wanted())
        .await
        .assert_problem(403, "forbidden");
    app.acme
        .viewer
        .patch(&path, json!({ "name": "Mine" }))
        .await
        .assert_problem(403, "forbidden");
    app.acme
        .viewer
        .delete(&path)
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn a_faulty_alert_is_told_what_to_change() {
    let app = TestApp::<Analytics>::start().await;
    let mut bad = wanted();
    bad["name"] = json!(" ");
    bad["definition"]["granularity"] = json!("year");
    bad["definition"]["timezone"] = json!("Berlin");
    bad["definition"]["rule"] = json!({ "band": { "sensitivity": "0.5" } });
    bad["definition"]["confirm"] = json!(0);
    bad["definition"]["mail"] = json!(["nobody"]);
    let refused = app
        .acme
        .member
        .post("/api/alerts", bad)
        .await
        .assert_problem(422, "validation_failed")
        .json();
    let places: Vec<&str> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(
        places,
        [
            "/name",
            "/definition/granularity",
            "/definition/timezone",
            "/definition/rule/band/sensitivity",
            "/definition/confirm",
            "/definition/mail/0"
        ]
    );
}
