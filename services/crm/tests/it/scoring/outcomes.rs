use bz_testkit::{TestApp, wait_until};
use crm::Crm;
use serde_json::{Value, json};

use super::{NOBODY, PATIENCE, created, path};

async fn sent(app: &TestApp<Crm>, outcomes: Value) -> bz_testkit::TestResponse {
    let body = json!({ "outcomes": outcomes });
    app.acme.member.post("/api/scoring/outcomes", body).await
}

fn states(answer: &Value) -> Vec<&str> {
    let items = answer["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["status"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn outcomes_are_recorded_by_either_id_and_once() {
    let app = TestApp::<Crm>::start().await;
    let ada = created(&app, json!({ "first_name": "Ada" })).await;
    let eve = created(&app, json!({ "first_name": "Eve", "external_id": "17" })).await;
    let outcomes = json!([
        { "lead_id": ada["id"], "outcome": "won", "at": "2026-03-01T00:00:00Z" },
        { "external_id": "17", "outcome": "lost" },
        { "external_id": "17", "outcome": "won" },
        { "lead_id": NOBODY, "outcome": "won" },
    ]);
    let first = sent(&app, outcomes.clone()).await.assert_status(200).json();
    assert_eq!(
        states(&first),
        ["recorded", "recorded", "repeated", "not_found"]
    );
    assert_eq!(first["recorded"], json!(2));
    let again = sent(&app, outcomes).await.assert_status(200).json();
    assert_eq!(
        states(&again),
        ["unchanged", "unchanged", "repeated", "not_found"]
    );
    let lead = app.acme.viewer.get(&path(&ada, "")).await.json();
    assert_eq!(
        (&lead["outcome"], &lead["outcome_at"]),
        (&json!("won"), &json!("2026-03-01T00:00:00Z"))
    );
    assert_eq!(lead["version"], json!(2));
    let lead = app.acme.viewer.get(&path(&eve, "")).await.json();
    assert_eq!(lead["outcome"], json!("lost"));
    let told = crate::events(&app).await;
    assert_eq!(told.last().unwrap(), "lead.outcomes_recorded");
    assert_eq!(told.len(), 3);
}

#[tokio::test]
async fn outcomes_of_others_and_bad_ones_are_refused() {
    let app = TestApp::<Crm>::start().await;
    let lead = created(&app, json!({ "first_name": "Ada" })).await;
    let one = json!({ "outcomes": [{ "lead_id": lead["id"], "outcome": "won" }] });
    let viewer = app.acme.viewer.post("/api/scoring/outcomes", &one).await;
    viewer.assert_problem(403, "forbidden");
    let foreign = app.globex.member.post("/api/scoring/outcomes", &one).await;
    assert_eq!(states(&foreign.assert_status(200).json()), ["not_found"]);
    for bad in [
        json!([]),
        json!([{ "outcome": "won" }]),
        json!([{ "lead_id": lead["id"], "external_id": "1", "outcome": "won" }]),
    ] {
        sent(&app, bad)
            .await
            .assert_problem(422, "validation_failed");
    }
    let lead = app.acme.viewer.get(&path(&lead, "")).await.json();
    assert_eq!(lead["outcome"], Value::Null);
}

#[tokio::test]
async fn what_the_tenant_calls_won_becomes_the_outcome_by_itself() {
    let mut app = TestApp::<Crm>::start().await;
    let setting = json!({ "positive_outcome": "status:qualified" });
    app.acme
        .owner
        .patch("/api/scoring/model", setting)
        .await
        .assert_status(200);
    let won = created(&app, json!({ "first_name": "Ada", "status": "qualified" })).await;
    let lost = created(
        &app,
        json!({ "first_name": "Eve", "status": "unqualified" }),
    )
    .await;
    let open = created(&app, json!({ "first_name": "Grace" })).await;
    app.start_jobs();
    let outcome =
        async |lead: &Value| app.acme.viewer.get(&path(lead, "")).await.json()["outcome"].clone();
    wait_until(async || outcome(&won).await == json!("won"), PATIENCE).await;
    wait_until(async || outcome(&lost).await == json!("lost"), PATIENCE).await;
    assert_eq!(outcome(&open).await, Value::Null);
    let read = app.acme.viewer.get(&path(&won, "")).await.json();
    assert_eq!(read["version"], json!(1));
}
