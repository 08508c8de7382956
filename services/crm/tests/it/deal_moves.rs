//! How deals move: from stage to stage and between pipelines.

use bz_testkit::TestApp;
use chrono::TimeDelta;
use crm::Crm;
use serde_json::{Value, json};

use crate::deals::{engines, stages};
use crate::{events, list, made, path_of};

#[tokio::test]
async fn a_move_is_told_by_what_it_means_and_written_down() {
    let app = TestApp::<Crm>::start().await;
    let stages = stages(&app).await;
    let path = path_of(
        "/api/deals",
        &made(&app.acme.member, "/api/deals", engines()).await,
    );
    let go = async |to: Value| {
        app.clock.advance(TimeDelta::hours(1));
        app.acme
            .member
            .post(&format!("{path}/move"), to)
            .await
            .assert_status(200)
            .json()
    };
    let moved = go(json!({ "stage_id": stages[2] })).await;
    assert_eq!(moved["stage_entered_at"], "2026-03-02T10:00:00Z");
    let again = go(json!({ "stage_id": stages[2] })).await;
    assert_eq!(again, moved, "it is there already");
    let lost = go(json!({ "stage_id": stages[5], "lost_reason": "too dear" })).await;
    assert_eq!(
        (&lost["status"], &lost["lost_reason"]),
        (&json!("lost"), &json!("too dear"))
    );
    assert_eq!(
        (&lost["closed_at"], &lost["weighted_amount"]["amount"]),
        (&json!("2026-03-02T12:00:00Z"), &json!("0"))
    );
    let won = go(json!({ "stage_id": stages[4] })).await;
    assert_eq!(
        (&won["status"], &won["lost_reason"]),
        (&json!("won"), &Value::Null)
    );
    let open = go(json!({ "stage_id": stages[0] })).await;
    assert_eq!(
        (&open["status"], &open["closed_at"]),
        (&json!("open"), &Value::Null)
    );
    assert_eq!(
        events(&app).await,
        [
            "deal.created",
            "deal.moved",
            "deal.lost",
            "deal.won",
            "deal.moved"
        ]
    );
    let steps = list(&app.acme.viewer, &format!("{path}/stage-history")).await;
    let to: Vec<&Value> = steps.iter().map(|step| &step["to_stage"]).collect();
    assert_eq!(
        to,
        [&stages[0], &stages[4], &stages[5], &stages[2], &stages[0]]
    );
    assert_eq!(steps[4]["from_stage"], Value::Null);
    assert_eq!(
        steps[0]["actor"],
        json!(app.acme.tenant.user(bz_testkit::Role::Member))
    );
    let page = app
        .acme
        .viewer
        .get(&format!("{path}/stage-history?limit=4"))
        .await
        .json();
    let next = format!(
        "{path}/stage-history?limit=4&cursor={}",
        page["next_cursor"].as_str().unwrap()
    );
    assert_eq!(list(&app.acme.viewer, &next).await.len(), 1);
}

#[tokio::test]
async fn a_stage_says_what_a_deal_must_have_to_enter_it() {
    let app = TestApp::<Crm>::start().await;
    let pipeline = json!({ "name": "Strict", "stages": [
        { "name": "Talking", "probability": 10 },
        { "name": "Offer", "probability": 50, "required_fields": ["amount", "contact_ids", "expected_close_date"] },
    ] });
    let pipeline = made(&app.acme.owner, "/api/pipelines", pipeline).await;
    let offer = &pipeline["stages"][1]["id"];
    let deal =
        json!({ "name": "x", "pipeline_id": pipeline["id"], "expected_close_date": "2026-05-01" });
    let path = path_of(
        "/api/deals",
        &made(&app.acme.member, "/api/deals", deal).await,
    );
    let to = json!({ "stage_id": offer });
    let refused = app
        .acme
        .member
        .post(&format!("{path}/move"), to.clone())
        .await;
    let refused = refused.assert_problem(422, "validation_failed").json();
    let missing: Vec<&Value> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["pointer"])
        .collect();
    assert_eq!(missing, ["/amount", "/contact_ids"]);
    assert_eq!(refused["errors"][0]["code"], "required_by_stage");
    app.acme
        .member
        .patch(&path, to.clone())
        .await
        .assert_problem(422, "validation_failed");
    let grace = made(
        &app.acme.member,
        "/api/contacts",
        json!({ "first_name": "Grace" }),
    )
    .await;
    let filled =
        json!({ "amount": { "amount": "1", "currency": "EUR" }, "contact_ids": [grace["id"]] });
    app.acme
        .member
        .patch(&path, filled)
        .await
        .assert_status(200);
    let moved = app
        .acme
        .member
        .post(&format!("{path}/move"), to)
        .await
        .assert_status(200)
        .json();
    assert_eq!(&moved["stage_id"], offer);
}

#[tokio::test]
async fn pipeline_and_stage_stay_together() {
    let app = TestApp::<Crm>::start().await;
    let stages = stages(&app).await;
    let other = json!({ "name": "Other", "stages": [{ "name": "Only", "probability": 5 }, { "name": "Won", "kind": "won" }] });
    let other = made(&app.acme.owner, "/api/pipelines", other).await;
    let only = &other["stages"][0]["id"];
    let mixed = json!({ "name": "x", "pipeline_id": other["id"], "stage_id": stages[0] });
    let refused = app
        .acme
        .member
        .post("/api/deals", mixed)
        .await
        .assert_problem(422, "validation_failed");
    assert_eq!(refused.json()["errors"][0]["pointer"], "/stage_id");
    let path = path_of(
        "/api/deals",
        &made(&app.acme.member, "/api/deals", engines()).await,
    );
    let alone = app
        .acme
        .member
        .patch(&path, json!({ "stage_id": only }))
        .await;
    alone.assert_problem(422, "validation_failed");
    let there = app
        .acme
        .member
        .patch(&path, json!({ "pipeline_id": other["id"] }))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&there["stage_id"], &there["pipeline_id"]),
        (only, &other["id"])
    );
    let back = app
        .acme
        .member
        .post(&format!("{path}/move"), json!({ "stage_id": stages[1] }))
        .await;
    let back = back.assert_status(200).json();
    assert_ne!(back["pipeline_id"], other["id"]);
    // A PUT that does not say where it goes leaves it where it is.
    let put = app
        .acme
        .member
        .put(&path, json!({ "name": "renamed" }))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&put["stage_id"], &put["amount"]),
        (&stages[1], &Value::Null)
    );
}
