//! Deals of a real CRM, followed over HTTP.

use std::time::Duration;

use analytics::Analytics;
use bz_kernel::platform;
use bz_testkit::{TestApp, wait_until};
use crm::Crm;
use serde_json::{Value, json};

use crate::source_support::read;

const PATIENCE: Duration = Duration::from_secs(20);
const DEALS: &str = "SELECT pipeline, stage, outcome, amount_minor, currency, probability, dims, closed_at IS NOT NULL AS closed, \
                       created_at, (SELECT array_agg(s.stage ORDER BY s.stage) FROM analytics.deal_stages AS s \
                                    WHERE s.deal_id = d.deal_id) AS stages \
                     FROM analytics.deals AS d ORDER BY amount_minor";

async fn followed(crm: &TestApp<Crm>) -> TestApp<Analytics> {
    let url = crm.listen().await;
    let app = TestApp::<Analytics>::builder()
        .beside(crm)
        .sibling(&platform::CRM, &url);
    let mut app = app.start().await;
    app.start_jobs();
    app
}

#[tokio::test]
async fn a_deal_is_known_with_its_stages_until_it_is_deleted() {
    let crm = TestApp::<Crm>::start().await;
    let member = &crm.acme.member;
    let lead = member
        .post(
            "/api/leads",
            json!({ "first_name": "Ada", "source": "referral" }),
        )
        .await
        .assert_status(201)
        .json();
    let engines = json!({
        "name": "40 engines", "amount": { "amount": "12000.50", "currency": "EUR" }, "lead_id": lead["id"]
    });
    let deal = member
        .post("/api/deals", engines)
        .await
        .assert_status(201)
        .json();
    let path = format!("/api/deals/{}", deal["id"].as_str().unwrap());
    let pipelines = member.get("/api/pipelines").await.assert_status(200).json();
    let stages = &pipelines["items"][0]["stages"];
    member
        .post(
            &format!("{path}/move"),
            json!({ "stage_id": stages[4]["id"] }),
        )
        .await
        .assert_status(200);

    let app = followed(&crm).await;
    wait_until(
        async || read(&app, DEALS).await[0]["outcome"] == "won",
        PATIENCE,
    )
    .await;
    assert_eq!(
        read(&app, DEALS).await,
        json!([{
            "pipeline": "Sales", "stage": "Won", "outcome": "won", "amount_minor": 1_200_050, "currency": "EUR",
            "probability": 100, "dims": { "lead_source": "referral" }, "closed": true,
            "created_at": "2026-03-02T09:00:00+00:00", "stages": ["New", "Won"]
        }])
    );
    member.delete(&path).await.assert_status(204);
    wait_until(async || read(&app, DEALS).await == json!([]), PATIENCE).await;
    let left = read(&app, "SELECT count(*) FROM analytics.deal_stages").await;
    assert_eq!(left, json!([{ "count": 0 }]));
}

#[tokio::test]
async fn deals_that_the_crm_imported_are_known_too() {
    let mut crm = TestApp::<Crm>::start().await;
    crm.start_jobs();
    let file = "name,amount,amount_currency\nSmall,10.00,EUR\nLarge,20.00,EUR\n";
    let import = crm
        .acme
        .member
        .post("/api/deals/import", ())
        .body("text/csv", file)
        .await;
    let import = import.assert_status(202).json();
    let path = format!("/api/imports/{}", import["id"].as_str().unwrap());
    let status = async || crm.acme.member.get(&path).await.assert_status(200).json();
    wait_until(async || status().await["status"] == "succeeded", PATIENCE).await;
    assert_eq!(status().await["created"], 2, "{}", status().await);

    let app = followed(&crm).await;
    wait_until(
        async || read(&app, DEALS).await.as_array().map_or(0, Vec::len) == 2,
        PATIENCE,
    )
    .await;
    let amounts: Vec<Value> = read(&app, DEALS)
        .await
        .as_array()
        .unwrap()
        .iter()
        .map(|deal| deal["amount_minor"].clone())
        .collect();
    assert_eq!(amounts, [1_000, 2_000]);
    let told = read(
        &app,
        "SELECT count(*) FROM analytics.tracked_events WHERE name = 'deals.imported'",
    )
    .await;
    assert_eq!(told, json!([{ "count": 0 }]));
}
