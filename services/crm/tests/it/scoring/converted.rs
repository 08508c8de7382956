//! Conversion is how a lead is won, unless the tenant says otherwise.

use bz_testkit::{TestApp, wait_until};
use crm::Crm;
use serde_json::{Value, json};

use super::{PATIENCE, inserted, path, trained};
use crate::support::{counts, imported, number};

/// What the model in use learned from: rows, won, lost.
async fn learned(app: &TestApp<Crm>) -> [Value; 3] {
    let card = app.acme.viewer.get("/api/scoring/model").await;
    let card = card.assert_status(200).json();
    ["rows", "positives", "negatives"].map(|name| card["training"][name].clone())
}

#[tokio::test]
async fn leads_that_were_converted_are_the_won_ones_of_a_training_ordered_at_once() {
    let mut app = TestApp::<Crm>::start().await;
    let leads: Vec<(String, Value)> = (0..150).map(|n| (n.to_string(), json!({}))).collect();
    inserted(&app, bz_testkit::NOW, &leads).await;
    app.clock.advance(chrono::TimeDelta::hours(1));
    let mut ids = Vec::new();
    let mut next = "/api/leads?limit=100&sort=created_at".to_owned();
    loop {
        let page = app.acme.member.get(&next).await.assert_status(200).json();
        ids.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|lead| lead["id"].clone()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        next = format!("/api/leads?limit=100&sort=created_at&cursor={cursor}");
    }
    assert_eq!(ids.len(), 150);
    for id in &ids[..60] {
        let convert = format!("/api/leads/{}/convert", id.as_str().unwrap());
        let converted = app
            .acme
            .member
            .post(&convert, json!({ "company": null }))
            .await;
        converted.assert_status(200);
    }
    let lost =
        json!({ "action": "update", "ids": &ids[60..120], "patch": { "status": "unqualified" } });
    app.acme
        .member
        .post("/api/leads/bulk", lost)
        .await
        .assert_status(207);
    let won = "SELECT count(*) FROM crm.leads WHERE outcome IS NOT NULL";
    assert_eq!(number(&app, won).await, 0);
    app.start_jobs();
    let training = trained(&app).await;
    assert_eq!(training["status"], json!("done"), "{training}");
    assert_eq!(learned(&app).await, [json!(120), json!(60), json!(60)]);
    let lead = path(&json!({ "id": ids[0] }), "");
    let lead = app.acme.viewer.get(&lead).await.json();
    assert_eq!(
        (&lead["outcome"], &lead["outcome_at"]),
        (&json!("won"), &lead["converted_at"])
    );
    // Neither that it is converted nor when is something that the model reads.
    let card = app.acme.viewer.get("/api/scoring/model").await.json();
    let read = card["features"].as_array().unwrap().iter();
    let mut read = read.filter(|feature| feature["excluded"] == json!(false));
    assert!(read.all(|feature| {
        let name = feature["name"].as_str().unwrap();
        !name.contains("status") && !name.contains("convert") && !name.contains("contact")
    }));
}

#[tokio::test]
async fn another_meaning_of_won_leaves_conversions_alone() {
    let mut app = TestApp::<Crm>::start().await;
    let deals = json!({ "positive_outcome": "deal_won" });
    app.acme
        .owner
        .patch("/api/scoring/model", deals)
        .await
        .assert_status(200);
    let lead = super::created(
        &app,
        json!({ "first_name": "Ada", "company_name": "Engines" }),
    )
    .await;
    let convert = path(&lead, "/convert");
    app.acme
        .member
        .post(&convert, json!({}))
        .await
        .assert_status(200);
    app.start_jobs();
    trained(&app).await;
    let ended = "SELECT count(*) FROM crm.leads WHERE outcome IS NOT NULL";
    assert_eq!(number(&app, ended).await, 0);
}

#[tokio::test]
async fn leads_that_came_converted_in_a_file_are_won_and_all_of_them_get_their_scores() {
    let mut app = TestApp::<Crm>::start().await;
    app.start_jobs();
    let status = |n: usize| match n % 3 {
        0 => "converted",
        1 => "unqualified",
        _ => "new",
    };
    let rows: String = (0..180)
        .map(|n| format!("lead{n}@engines.example,2024-05-01,{}\n", status(n)))
        .collect();
    let import = imported(&app, "", format!("email,created_at,status\n{rows}")).await;
    assert_eq!(counts(&import), [180, 0, 0, 0]);
    // Without a night, and without anything else that happens to a lead.
    let unscored = "SELECT count(*) FROM crm.leads WHERE score IS NULL";
    wait_until(async || number(&app, unscored).await == 0, PATIENCE).await;
    // When they were won nobody knows: not now, years after they came.
    let won = "SELECT count(*) FROM crm.leads WHERE outcome = 'won' AND outcome_at = created_at AND version = 1";
    assert_eq!(number(&app, won).await, 60);
    trained(&app).await;
    assert_eq!(learned(&app).await, [json!(120), json!(60), json!(60)]);
}
