use bz_testkit::TestApp;
use crm::Crm;
use serde_json::{Value, json};

use super::{NOBODY, lessons, path, trained};

const MODEL: &str = "/api/scoring/model";

fn names(card: &Value, excluded: bool) -> Vec<String> {
    let features = card["features"].as_array().unwrap();
    let wanted = features
        .iter()
        .filter(|feature| feature["excluded"] == json!(excluded));
    wanted
        .map(|feature| feature["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_new_tenant_has_rules_and_is_told_what_a_model_needs() {
    let app = TestApp::<Crm>::start().await;
    let card = app.acme.viewer.get(MODEL).await.assert_status(200).json();
    assert_eq!(
        (&card["mode"], &card["version"]),
        (&json!("rules"), &json!("rules-1"))
    );
    assert_eq!(
        card["needs"],
        json!({ "labelled_more": 100, "positives_more": 15, "negatives_more": 15 })
    );
    assert_eq!(card["thresholds"], json!({ "A": 60, "B": 35, "C": 15 }));
    assert_eq!(
        (&card["training"], &card["metrics"], &card["drift"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    let models = app
        .acme
        .viewer
        .get("/api/scoring/models")
        .await
        .assert_status(200)
        .json();
    assert_eq!(models, json!({ "items": [], "next_cursor": null }));
}

#[tokio::test]
async fn settings_are_changed_by_those_who_manage_and_only_to_what_makes_sense() {
    let app = TestApp::<Crm>::start().await;
    let first = app.acme.owner.get(MODEL).await;
    let change = json!({ "thresholds": { "A": 80, "B": 50, "C": 20 }, "horizon_days": 60, "excluded_fields": ["city"] });
    let put = app
        .acme
        .owner
        .patch(MODEL, &change)
        .header("if-match", first.header("etag").unwrap())
        .await;
    let card = put.assert_status(200).json();
    assert_eq!(
        (&card["thresholds"]["A"], &card["settings"]["horizon_days"]),
        (&json!(80), &json!(60))
    );
    let again = app.acme.viewer.get(MODEL).await.json();
    assert_eq!(again["settings"], card["settings"]);
    let late = app
        .acme
        .owner
        .patch(MODEL, &change)
        .header("if-match", first.header("etag").unwrap())
        .await;
    late.assert_problem(412, "precondition_failed");
    app.acme
        .member
        .patch(MODEL, &change)
        .await
        .assert_problem(403, "forbidden");
    for bad in [
        json!({ "thresholds": { "A": 10, "B": 50, "C": 20 } }),
        json!({ "horizon_days": 0 }),
        json!({ "positive_outcome": "luck" }),
        json!({ "excluded_fields": ["nowhere"] }),
    ] {
        app.acme
            .owner
            .patch(MODEL, bad)
            .await
            .assert_problem(422, "validation_failed");
    }
    let back = app
        .acme
        .owner
        .patch(MODEL, json!({ "thresholds": null }))
        .await
        .assert_status(200);
    assert_eq!(back.json()["thresholds"]["A"], json!(60));
    let theirs = app.globex.viewer.get(MODEL).await.json();
    assert_eq!(theirs["settings"]["horizon_days"], json!(90));
}

#[tokio::test]
async fn one_training_at_a_time_and_only_for_those_who_manage() {
    let app = TestApp::<Crm>::start().await;
    app.acme
        .member
        .post("/api/scoring/model/train", json!({}))
        .await
        .assert_problem(403, "forbidden");
    let order = async || {
        app.acme
            .owner
            .post("/api/scoring/model/train", json!({}))
            .await
            .assert_status(202)
            .json()
    };
    let (first, second) = (order().await, order().await);
    assert_eq!(
        (&first["id"], &first["status"]),
        (&second["id"], &json!("queued"))
    );
    let path = format!("/api/scoring/trainings/{}", first["id"].as_str().unwrap());
    app.acme.viewer.get(&path).await.assert_status(200);
    app.globex
        .owner
        .get(&path)
        .await
        .assert_problem(404, "not_found");
    let nobody = format!("/api/scoring/trainings/{NOBODY}");
    app.acme
        .owner
        .get(&nobody)
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_tenant_without_outcomes_keeps_its_rules_and_reads_why() {
    let mut app = TestApp::<Crm>::start().await;
    app.start_jobs();
    let training = trained(&app).await;
    assert_eq!(
        (&training["status"], &training["activated"]),
        (&json!("done"), &json!(true))
    );
    let card = app.acme.viewer.get(MODEL).await.json();
    assert_eq!(card["mode"], json!("rules"));
    let reason = card["mode_reason"].as_str().unwrap();
    assert!(
        reason.starts_with("0 labelled leads; a model needs 100 more"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_model_learns_from_outcomes_but_not_from_what_came_later_or_is_protected() {
    let mut app = TestApp::<Crm>::start().await;
    lessons(&app).await;
    app.clock.advance(chrono::TimeDelta::hours(1));
    // What is set after the outcome goes along with it, and is known of every lead.
    let leads = app.acme.viewer.get("/api/leads?limit=100").await.json();
    for lead in leads["items"].as_array().unwrap() {
        let change = json!({ "custom": { "late": lead["outcome"] } });
        app.acme
            .member
            .patch(&path(lead, ""), change)
            .await
            .assert_status(200);
    }
    app.start_jobs();
    let training = trained(&app).await;
    assert_eq!(training["status"], json!("done"), "{training}");
    let card = app.acme.viewer.get(MODEL).await.json();
    assert_eq!(card["mode"], json!("logistic"), "{card}");
    assert_eq!(
        (&card["training"]["rows"], &card["needs"]["labelled_more"]),
        (&json!(400), &json!(0))
    );
    assert_eq!(card["metrics"]["evaluated_on"], json!("cross-validation"));
    let auc = card["metrics"]["roc_auc"].as_f64().unwrap();
    assert!((0.7..0.999).contains(&auc), "{auc}");
    let (read, left_out) = (names(&card, false), names(&card, true));
    assert!(read.contains(&"custom.plan".to_owned()), "{read:?}");
    assert!(
        !read
            .iter()
            .any(|name| name == "custom.late" || name == "custom.age"),
        "{read:?}"
    );
    assert_eq!(left_out, ["custom.age"]);

    let lead = &leads["items"][0];
    let score = app.acme.viewer.get(&path(lead, "/score")).await.json();
    assert_eq!(
        (&score["mode"], &score["model_version"]),
        (&json!("logistic"), &card["version"])
    );
    let contributions = score["factors"].as_array().unwrap().iter();
    let sum: f64 = contributions
        .map(|factor| factor["contribution"].as_f64().unwrap())
        .sum();
    let p = score["probability"].as_f64().unwrap();
    let log_odds = (p / (1.0 - p)).ln();
    assert!((sum + score["base"]["log_odds"].as_f64().unwrap() - log_odds).abs() < 1e-6);
    assert_eq!(score["factors"][0]["label"], json!("Plan"));
    assert!(score["percentile"].is_number() && score["probability_interval"].is_array());
    rolls_back(&app, lead).await;
}

/// A second training, and back to the first.
async fn rolls_back(app: &TestApp<Crm>, lead: &Value) {
    app.acme
        .owner
        .patch(MODEL, json!({ "excluded_fields": ["custom.plan"] }))
        .await
        .assert_status(200);
    trained(app).await;
    let card = app.acme.viewer.get(MODEL).await.json();
    assert!(!names(&card, false).contains(&"custom.plan".to_owned()));
    let models = app.acme.viewer.get("/api/scoring/models").await.json();
    let active: Vec<&Value> = models["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| &model["active"])
        .collect();
    assert_eq!(active, [&json!(true), &json!(false)]);
    let first = models["items"][1]["name"].as_str().unwrap();
    app.acme
        .member
        .post("/api/scoring/models/1/activate", json!({}))
        .await
        .assert_problem(403, "forbidden");
    app.globex
        .owner
        .post("/api/scoring/models/1/activate", json!({}))
        .await
        .assert_problem(404, "not_found");
    for version in ["9", "nonsense", "2020-01-01.1"] {
        let path = format!("/api/scoring/models/{version}/activate");
        app.acme
            .owner
            .post(&path, json!({}))
            .await
            .assert_problem(404, "not_found");
    }
    for version in [first, "1"] {
        let path = format!("/api/scoring/models/{version}/activate");
        let model = app
            .acme
            .owner
            .post(&path, json!({}))
            .await
            .assert_status(200)
            .json();
        assert_eq!(
            (&model["active"], &model["name"]),
            (&json!(true), &json!(first))
        );
    }
    let score = app.acme.viewer.get(&path(lead, "/score")).await.json();
    assert_eq!(score["model_version"], json!(first));
}
