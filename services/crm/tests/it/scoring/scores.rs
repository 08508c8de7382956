use bz_testkit::{TestApp, wait_until};
use chrono::TimeDelta;
use crm::Crm;
use serde_json::{Value, json};

use super::{NOBODY, PATIENCE, created, path};

fn grace() -> Value {
    json!({ "first_name": "Grace", "title": "CEO", "source": "referral", "email": "grace@engines.example" })
}

#[tokio::test]
async fn a_score_has_as_many_reasons_as_asked_for_and_they_add_up() {
    let app = TestApp::<Crm>::start().await;
    let lead = created(&app, grace()).await;
    for (query, most) in [
        ("", 99),
        ("?factors=all", 99),
        ("?factors=2", 2),
        ("?factors=0", 0),
    ] {
        let read = app
            .acme
            .viewer
            .get(&path(&lead, &format!("/score{query}")))
            .await;
        let score = read.assert_status(200).json();
        let factors = score["factors"].as_array().unwrap();
        assert!(factors.len() <= most);
        let sum: f64 = factors
            .iter()
            .map(|factor| factor["contribution"].as_f64().unwrap())
            .sum();
        let all = sum
            + score["base"]["log_odds"].as_f64().unwrap()
            + score["other_contributions"].as_f64().unwrap();
        let p = score["probability"].as_f64().unwrap();
        assert!((all - (p / (1.0 - p)).ln()).abs() < 1e-6);
        assert_eq!(
            (&score["mode"], &score["sum_check"]),
            (&json!("rules"), &json!(true))
        );
        assert_eq!(
            (&score["horizon_days"], &score["model_version"]),
            (&json!(90), &json!("rules-1"))
        );
    }
    let bad = app
        .acme
        .viewer
        .get(&path(&lead, "/score?factors=many"))
        .await;
    bad.assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn scoring_now_writes_the_score_down_once_and_leaves_the_version() {
    let app = TestApp::<Crm>::start().await;
    let lead = created(&app, grace()).await;
    let first = app
        .acme
        .member
        .post(&path(&lead, "/score"), json!({}))
        .await
        .assert_status(200)
        .json();
    assert_eq!(first["stale"], json!(false));
    let again = app
        .acme
        .member
        .post(&path(&lead, "/score"), json!({}))
        .await;
    again.assert_status(200);
    let stored = app.acme.viewer.get(&path(&lead, "")).await.json();
    assert_eq!(
        (&stored["score"], &stored["grade"]),
        (&first["score"], &first["grade"])
    );
    assert_eq!(
        (&stored["version"], &stored["score_mode"]),
        (&json!(1), &json!("rules"))
    );
    let history = app
        .acme
        .viewer
        .get(&path(&lead, "/score/history"))
        .await
        .assert_status(200)
        .json();
    assert_eq!(history["items"].as_array().unwrap().len(), 1);
    assert_eq!(history["items"][0]["score"], first["score"]);

    // Another lead state: another score, a second entry, and the way it went.
    let change = json!({ "status": "unqualified" });
    app.acme
        .member
        .patch(&path(&lead, ""), change)
        .await
        .assert_status(200);
    let read = app.acme.viewer.get(&path(&lead, "/score")).await.json();
    assert_eq!(
        (&read["stale"], &read["trend"]),
        (&json!(true), &json!("down"))
    );
    assert_eq!(read["previous_score"], first["score"]);
    app.clock.advance(TimeDelta::seconds(1));
    app.acme
        .member
        .post(&path(&lead, "/score"), json!({}))
        .await
        .assert_status(200);
    let page = app
        .acme
        .viewer
        .get(&path(&lead, "/score/history?limit=1"))
        .await
        .json();
    assert_ne!(page["items"][0]["score"], first["score"]);
    let next = format!(
        "/score/history?limit=1&cursor={}",
        page["next_cursor"].as_str().unwrap()
    );
    let page = app.acme.viewer.get(&path(&lead, &next)).await.json();
    assert_eq!(
        (&page["items"][0]["score"], &page["next_cursor"]),
        (&first["score"], &Value::Null)
    );
}

#[tokio::test]
async fn scores_of_others_are_not_there_and_a_viewer_scores_nothing() {
    let app = TestApp::<Crm>::start().await;
    let lead = created(&app, grace()).await;
    for rest in ["/score", "/score/history"] {
        app.globex
            .owner
            .get(&path(&lead, rest))
            .await
            .assert_problem(404, "not_found");
        let nobody = format!("/api/leads/{NOBODY}{rest}");
        app.acme
            .owner
            .get(&nobody)
            .await
            .assert_problem(404, "not_found");
    }
    let viewer = app
        .acme
        .viewer
        .post(&path(&lead, "/score"), json!({}))
        .await;
    viewer.assert_problem(403, "forbidden");
    let foreign = app
        .globex
        .member
        .post(&path(&lead, "/score"), json!({}))
        .await;
    foreign.assert_problem(404, "not_found");
}

#[tokio::test]
async fn what_if_answers_another_score_and_stores_nothing() {
    let app = TestApp::<Crm>::start().await;
    let lead = created(&app, json!({ "first_name": "Ada" })).await;
    let plain = app.acme.viewer.get(&path(&lead, "/score")).await.json();
    let ask = async |overrides: Value| {
        let body = json!({ "overrides": overrides });
        app.acme.member.post(&path(&lead, "/score"), body).await
    };
    let better = ask(json!({ "source": "referral", "title": "CEO" }))
        .await
        .assert_status(200)
        .json();
    assert!(better["score"].as_u64() > plain["score"].as_u64());
    let stored = app.acme.viewer.get(&path(&lead, "")).await.json();
    assert_eq!(
        (&stored["source"], &stored["score"], &stored["version"]),
        (&Value::Null, &Value::Null, &json!(1))
    );
    let history = app
        .acme
        .viewer
        .get(&path(&lead, "/score/history"))
        .await
        .json();
    assert_eq!(history["items"], json!([]));
    ask(json!({ "score": 99 }))
        .await
        .assert_problem(422, "validation_failed");
    ask(json!({ "custom": { "nowhere": 1 } }))
        .await
        .assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn leads_that_are_not_stored_are_scored_in_order() {
    let app = TestApp::<Crm>::start().await;
    let send = async |leads: Value| {
        let body = json!({ "leads": leads });
        app.acme
            .viewer
            .post("/api/scoring/score?factors=1", body)
            .await
    };
    let answer = send(json!([{ "external_id": "a" }, { "external_id": "b", "source": "referral", "title": "CEO" }])).await;
    let items = answer.assert_status(200).json()["items"].clone();
    assert_eq!(
        (&items[0]["external_id"], &items[1]["external_id"]),
        (&json!("a"), &json!("b"))
    );
    assert!(items[1]["score"].as_u64() > items[0]["score"].as_u64());
    assert_eq!(items[1]["factors"].as_array().unwrap().len(), 1);
    let stored = app.acme.viewer.get("/api/leads").await.json();
    assert_eq!(stored["items"], json!([]));
    send(json!([]))
        .await
        .assert_problem(422, "validation_failed");
    let many: Vec<Value> = (0..1_001).map(|_| json!({})).collect();
    send(json!(many))
        .await
        .assert_problem(422, "validation_failed");
    send(json!([{ "custom": { "nowhere": 1 } }]))
        .await
        .assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn a_leads_score_follows_its_changes_by_itself() {
    let mut app = TestApp::<Crm>::start().await;
    let lead = created(&app, json!({ "first_name": "Ada" })).await;
    app.start_jobs();
    let score = async || app.acme.viewer.get(&path(&lead, "")).await.json()["score"].as_i64();
    wait_until(async || score().await.is_some(), PATIENCE).await;
    let before = score().await;
    let change = json!({ "source": "referral", "title": "CEO" });
    let changed = app
        .acme
        .member
        .patch(&path(&lead, ""), change)
        .await
        .assert_status(200);
    wait_until(async || score().await > before, PATIENCE).await;
    let read = app.acme.viewer.get(&path(&lead, "")).await.json();
    assert_eq!(read["version"], changed.json()["version"]);
    let read = app.acme.viewer.get(&path(&lead, "/score")).await.json();
    assert_eq!(read["stale"], json!(false));
}
