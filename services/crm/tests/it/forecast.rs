//! What a pipeline is expected to bring.

use bz_testkit::TestApp;
use crm::Crm;
use serde_json::{Value, json};

use crate::{list, made, path_of};

fn stage(pipeline: &Value, name: &str) -> Value {
    let stages = pipeline["stages"].as_array().unwrap();
    let found = stages.iter().find(|stage| stage["name"] == name);
    found.unwrap()["id"].clone()
}

#[tokio::test]
async fn a_forecast_adds_up_by_month_stage_and_currency() {
    let app = TestApp::<Crm>::start().await;
    let pipeline = list(&app.acme.owner, "/api/pipelines").await[0].clone();
    let (new, won, lost) = (
        stage(&pipeline, "New"),
        stage(&pipeline, "Won"),
        stage(&pipeline, "Lost"),
    );
    let deal = |stage: &Value, amount: &str, currency: &str, day: Option<&str>| {
        let amount = json!({ "amount": amount, "currency": currency });
        json!({ "name": "x", "stage_id": stage, "amount": amount, "expected_close_date": day })
    };
    for body in [
        deal(&new, "100.00", "EUR", Some("2026-04-10")),
        deal(&new, "50.50", "EUR", Some("2026-04-30")),
        deal(&new, "10.00", "USD", Some("2026-04-01")),
        deal(&new, "7.00", "EUR", None),
        deal(&won, "1000.00", "EUR", Some("2026-09-01")),
        deal(&lost, "9.00", "EUR", Some("2026-04-01")),
    ] {
        made(&app.acme.member, "/api/deals", body).await;
    }
    let path = format!("{}/forecast", path_of("/api/pipelines", &pipeline));
    let forecast = app.acme.viewer.get(&path).await.assert_status(200).json();
    let months: Vec<&Value> = forecast["months"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["month"])
        .collect();
    assert_eq!(
        months,
        [&json!("2026-03-01"), &json!("2026-04-01"), &Value::Null]
    );
    let april = &forecast["months"][1]["stages"];
    assert_eq!(april.as_array().unwrap().len(), 1);
    assert_eq!(
        (&april[0]["stage_id"], &april[0]["count"]),
        (&new, &json!(3))
    );
    assert_eq!(
        april[0]["totals"],
        json!([
            { "currency": "EUR", "amount": "150.50", "weighted_amount": "15.05" },
            { "currency": "USD", "amount": "10.00", "weighted_amount": "1.00" },
        ])
    );
    let part = app
        .acme
        .viewer
        .get(&format!("{path}?from=2026-04-01&to=2026-04-15"))
        .await
        .json();
    assert_eq!(part["months"][0]["stages"][0]["count"], 2);
    let bad = app.acme.viewer.get(&format!("{path}?from=spring")).await;
    bad.assert_problem(422, "validation_failed");
}
