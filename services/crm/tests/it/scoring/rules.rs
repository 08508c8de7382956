use bz_testkit::TestApp;
use crm::Crm;
use serde_json::{Value, json};

use super::{created, path};

const RULES: &str = "/api/scoring/rules";

fn rules() -> Value {
    json!({ "base_probability": 0.1, "rules": [
        { "feature": "city", "label": "City", "when": { "field": "city", "is": "one_of", "values": ["Sofia"] }, "points": 300.0 },
        { "feature": "city", "label": "City", "when": { "field": "city", "is": "present" }, "points": -100.0 },
        { "feature": "employees", "label": "Size", "when": { "field": "employees", "is": "each" }, "points": 10.0, "cap": 50.0 },
    ] })
}

#[tokio::test]
async fn rules_are_tried_before_they_are_put_to_use() {
    let app = TestApp::<Crm>::start().await;
    let first = app.acme.viewer.get(RULES).await.assert_status(200);
    assert!(first.json()["rules"].as_array().unwrap().len() > 20);
    let lead = created(
        &app,
        json!({ "first_name": "Ada", "city": "sofia", "employees": 80 }),
    )
    .await;
    let before = app.acme.viewer.get(&path(&lead, "/score")).await.json();

    let tried = app
        .acme
        .owner
        .put(&format!("{RULES}?dry_run=true"), rules())
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&tried["dry_run"], &tried["distribution"]["leads"]),
        (&json!(true), &json!(1))
    );
    assert_eq!(app.acme.viewer.get(RULES).await.json(), first.json());

    let put = app
        .acme
        .owner
        .put(RULES, rules())
        .header("if-match", first.header("etag").unwrap())
        .await;
    let put = put.assert_status(200);
    let read = app.acme.viewer.get(RULES).await;
    assert_eq!(
        (
            read.json()["base_probability"].as_f64(),
            read.header("etag")
        ),
        (Some(0.1), put.header("etag"))
    );
    let after = app.acme.viewer.get(&path(&lead, "/score")).await.json();
    assert_ne!(before["probability"], after["probability"]);
    assert_eq!(after["model_version"], json!("rules-2"));
    let contributions: Vec<f64> = after["factors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["contribution"].as_f64().unwrap())
        .collect();
    assert_eq!(contributions, [3.0, 0.5]);

    let late = app
        .acme
        .owner
        .put(RULES, rules())
        .header("if-match", first.header("etag").unwrap())
        .await;
    late.assert_problem(412, "precondition_failed");
}

#[tokio::test]
async fn rules_that_make_no_sense_and_those_of_members_are_refused() {
    let app = TestApp::<Crm>::start().await;
    app.acme
        .member
        .put(RULES, rules())
        .await
        .assert_problem(403, "forbidden");
    let bad = json!({ "base_probability": 1.0, "rules": [
        { "feature": "", "label": "x", "when": { "field": "city", "is": "one_of" }, "points": 1e9 },
        { "feature": "x", "label": "x", "when": { "field": "employees", "is": "each" }, "points": 1.0 },
    ] });
    let answer = app
        .acme
        .owner
        .put(RULES, bad)
        .await
        .assert_problem(422, "validation_failed");
    assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 5);
    // The other tenant has its own.
    app.acme.owner.put(RULES, rules()).await.assert_status(200);
    let theirs = app.globex.viewer.get(RULES).await.assert_status(200).json();
    assert_eq!(theirs["base_probability"], json!(0.2));
}
