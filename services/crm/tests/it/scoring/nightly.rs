use bz_testkit::{TestApp, wait_until};
use crm::Crm;
use serde_json::{Value, json};

use super::{PATIENCE, ended, inserted, lessons, trained};

/// Statements as the administrator, on rows of acme.
async fn admin(app: &TestApp<Crm>, sql: &str) {
    sqlx::query(sql)
        .bind(app.acme.id().as_uuid())
        .execute(&mut app.database.admin().await)
        .await
        .unwrap();
}

async fn tonight(app: &TestApp<Crm>) {
    app.clock.advance(chrono::TimeDelta::minutes(1));
    admin(
        app,
        "INSERT INTO crm.scoring_work (tenant_id, kind, due_at) VALUES ($1, 'nightly', '2026-01-01') \
         ON CONFLICT ON CONSTRAINT scoring_work_pkey DO UPDATE SET due_at = excluded.due_at",
    )
    .await;
}

#[tokio::test]
async fn at_night_drift_is_looked_at_all_leads_are_scored_and_more_outcomes_mean_a_training() {
    let mut app = TestApp::<Crm>::start().await;
    lessons(&app).await;
    app.start_jobs();
    trained(&app).await;
    let card = async || {
        app.acme
            .viewer
            .get("/api/scoring/model")
            .await
            .assert_status(200)
            .json()
    };
    let first = card().await;
    assert!(first["next_retrain_at"].is_string());
    tonight(&app).await;
    wait_until(async || card().await["drift"].is_object(), PATIENCE).await;
    let drift = card().await["drift"].clone();
    assert_eq!(drift["status"], json!("stable"), "{drift}");
    let unscored = async || {
        let sql = "SELECT count(*) FROM crm.leads WHERE score IS NULL";
        let left: i64 = sqlx::query_scalar(sql)
            .fetch_one(&mut app.database.admin().await)
            .await
            .unwrap();
        left
    };
    wait_until(async || unscored().await == 0, PATIENCE).await;

    // A fifth more outcomes, and quite another share of won leads.
    let more: Vec<(String, Value)> = (1_000..1_200)
        .map(|n| (n.to_string(), json!({ "plan": "basic" })))
        .collect();
    inserted(&app, bz_testkit::NOW, &more).await;
    let outcomes: Vec<(String, bool)> = (1_000..1_200).map(|n| (n.to_string(), true)).collect();
    ended(&app, &outcomes).await;
    tonight(&app).await;
    let again = async || card().await["last_training"]["reason"] != json!("requested");
    wait_until(again, PATIENCE).await;
    let reason = card().await["last_training"]["reason"].clone();
    assert!(
        reason == json!("drift") || reason == json!("outcomes"),
        "{reason}"
    );
    wait_until(
        async || card().await["last_training"]["status"] == json!("done"),
        PATIENCE,
    )
    .await;
    let last = card().await["last_training"].clone();
    assert_eq!(last["model_version"], json!(2), "{last}");
}

#[tokio::test]
async fn a_training_whose_process_has_ended_is_done_by_the_next_one() {
    let mut app = TestApp::<Crm>::start().await;
    lessons(&app).await;
    let ordered = app
        .acme
        .owner
        .post("/api/scoring/model/train", json!({}))
        .await;
    let id = ordered.assert_status(202).json()["id"].clone();
    let path = format!("/api/scoring/trainings/{}", id.as_str().unwrap());
    admin(
        &app,
        "UPDATE crm.scoring_trainings SET status = 'running', attempts = 1, lease_until = '2026-01-01' WHERE tenant_id = $1",
    )
    .await;
    app.start_jobs();
    let status = async || app.acme.viewer.get(&path).await.json()["status"].clone();
    wait_until(async || status().await == json!("done"), PATIENCE).await;
}
