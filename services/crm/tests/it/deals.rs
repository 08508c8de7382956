//! Deals: where they stand, what they are worth, who sees them.

use bz_testkit::TestApp;
use crm::Crm;
use serde_json::{Value, json};

use crate::{events, list, made, path_of};

const NOBODYS: &str = "0199fa3e-0000-7000-8000-000000000000";

pub(crate) async fn stages(app: &TestApp<Crm>) -> Vec<Value> {
    let pipelines = list(&app.acme.viewer, "/api/pipelines").await;
    let stages = pipelines[0]["stages"].as_array().unwrap();
    stages.iter().map(|stage| stage["id"].clone()).collect()
}

pub(crate) fn engines() -> Value {
    json!({ "name": "40 engines", "amount": { "amount": "12000.00", "currency": "EUR" } })
}

#[tokio::test]
async fn a_new_deal_stands_in_the_first_stage_and_is_worth_its_probability() {
    let app = TestApp::<Crm>::start().await;
    let stages = stages(&app).await;
    let deal = made(&app.acme.member, "/api/deals", engines()).await;
    assert_eq!(
        (&deal["stage_id"], &deal["status"]),
        (&stages[0], &json!("open"))
    );
    assert_eq!(
        deal["weighted_amount"],
        json!({ "amount": "1200.00", "currency": "EUR" })
    );
    assert_eq!(
        (&deal["stage_entered_at"], &deal["closed_at"]),
        (&json!("2026-03-02T09:00:00Z"), &Value::Null)
    );
    let path = path_of("/api/deals", &deal);
    assert_eq!(
        app.acme.viewer.get(&path).await.assert_status(200).json(),
        deal
    );
    let deal = app
        .acme
        .member
        .patch(&path, json!({ "probability": 50 }))
        .await
        .json();
    assert_eq!(deal["weighted_amount"]["amount"], "6000.00");
    assert_eq!(events(&app).await, ["deal.created", "deal.updated"]);
}

#[tokio::test]
async fn an_event_of_a_deal_says_all_that_reports_count_by() {
    let app = TestApp::<Crm>::start().await;
    let stages = stages(&app).await;
    let lead = json!({ "first_name": "Ada", "source": "referral" });
    let lead = made(&app.acme.member, "/api/leads", lead).await;
    let mut wanted = engines();
    wanted["lead_id"] = lead["id"].clone();
    let deal = made(&app.acme.member, "/api/deals", wanted).await;
    let won = json!({ "stage_id": stages[4] });
    let moved = app
        .acme
        .member
        .post(&format!("{}/move", path_of("/api/deals", &deal)), won);
    moved.await.assert_status(200);
    let mut admin = app.database.admin().await;
    let told: Vec<Value> = sqlx::query_scalar(
        "SELECT data || jsonb_build_object('kind', kind) FROM crm.events WHERE kind LIKE 'deal.%' ORDER BY txid, seq",
    )
    .fetch_all(&mut admin)
    .await
    .unwrap();
    let now = "2026-03-02T09:00:00+00:00";
    let mut expected = json!({
        "kind": "deal.created", "id": deal["id"], "version": 1, "status": "open", "pipeline": "Sales", "stage": "New",
        "owner_id": deal["owner_id"], "amount": "12000.00", "currency": "EUR", "probability": 10, "created_at": now,
        "stage_entered_at": now, "closed_at": null, "lead_source": "referral"
    });
    assert_eq!(told[0], expected);
    for (name, value) in [
        ("kind", json!("deal.won")),
        ("version", json!(2)),
        ("status", json!("won")),
        ("stage", json!("Won")),
        ("probability", json!(100)),
        ("closed_at", json!(now)),
    ] {
        expected[name] = value;
    }
    expected["changed"] = told[1]["changed"].clone();
    assert_eq!(told[1], expected);
}

#[tokio::test]
async fn the_same_key_creates_one_deal() {
    let app = TestApp::<Crm>::start().await;
    let send = async || {
        let send = app
            .acme
            .member
            .post("/api/deals", engines())
            .header("idempotency-key", "k");
        send.await.assert_status(201).json()
    };
    assert_eq!(send().await, send().await);
    assert_eq!(list(&app.acme.viewer, "/api/deals").await.len(), 1);
}

#[tokio::test]
async fn what_a_deal_names_must_be_there() {
    let app = TestApp::<Crm>::start().await;
    let foreign = made(
        &app.globex.member,
        "/api/companies",
        json!({ "name": "Globex" }),
    )
    .await;
    for (bad, pointer) in [
        (json!({ "company_id": foreign["id"] }), "/company_id"),
        (json!({ "company_id": NOBODYS }), "/company_id"),
        (json!({ "lead_id": NOBODYS }), "/lead_id"),
        (json!({ "contact_ids": [NOBODYS] }), "/contact_ids/0"),
        (json!({ "stage_id": NOBODYS }), "/stage_id"),
        (json!({ "pipeline_id": NOBODYS }), "/pipeline_id"),
        (json!({ "lost_reason": "none" }), "/lost_reason"),
        (json!({ "probability": 101 }), "/probability"),
        (
            json!({ "amount": { "amount": "1", "currency": "euro" } }),
            "/amount/currency",
        ),
        (json!({ "status": "won" }), "/status"),
    ] {
        let mut body = json!({ "name": "x" });
        body.as_object_mut()
            .unwrap()
            .extend(bad.as_object().unwrap().clone());
        let answer = app.acme.member.post("/api/deals", body).await;
        let answer = answer.assert_problem(422, "validation_failed").json();
        assert_eq!(answer["errors"][0]["pointer"], pointer, "{bad}");
    }
}

#[tokio::test]
async fn deals_are_found_from_their_people_and_their_company() {
    let app = TestApp::<Crm>::start().await;
    let company = made(
        &app.acme.member,
        "/api/companies",
        json!({ "name": "Engines" }),
    )
    .await;
    let grace = json!({ "first_name": "Grace", "company_id": company["id"] });
    let grace = made(&app.acme.member, "/api/contacts", grace).await;
    let deal = json!({ "name": "x", "company_id": company["id"], "contact_ids": [grace["id"]] });
    let deal = made(&app.acme.member, "/api/deals", deal).await;
    made(&app.acme.member, "/api/deals", json!({ "name": "another" })).await;
    let (company, grace) = (
        path_of("/api/companies", &company),
        path_of("/api/contacts", &grace),
    );
    let ids = async |path: String| {
        let found = list(&app.acme.viewer, &path).await;
        found
            .iter()
            .map(|one| one["id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(format!("{company}/deals")).await, [deal["id"].clone()]);
    assert_eq!(ids(format!("{grace}/deals")).await, [deal["id"].clone()]);
    assert_eq!(ids(format!("{company}/contacts")).await.len(), 1);
    app.acme
        .member
        .patch(&path_of("/api/deals", &deal), json!({ "contact_ids": [] }))
        .await
        .assert_status(200);
    assert_eq!(ids(format!("{grace}/deals")).await, Vec::<Value>::new());
    for path in [
        format!("{company}/deals"),
        format!("{company}/contacts"),
        format!("{grace}/deals"),
    ] {
        app.globex
            .owner
            .get(&path)
            .await
            .assert_problem(404, "not_found");
        let bad = app.acme.viewer.get(&format!("{path}?limit=0")).await;
        bad.assert_problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn deals_keep_to_tenant_permission_and_version() {
    let app = TestApp::<Crm>::start().await;
    let stages = stages(&app).await;
    let path = path_of(
        "/api/deals",
        &made(&app.acme.member, "/api/deals", engines()).await,
    );
    let to = json!({ "stage_id": stages[1] });
    for path in [path.clone(), format!("/api/deals/{NOBODYS}")] {
        let globex = &app.globex.owner;
        globex.get(&path).await.assert_problem(404, "not_found");
        globex
            .get(&format!("{path}/stage-history"))
            .await
            .assert_problem(404, "not_found");
        globex
            .post(&format!("{path}/move"), to.clone())
            .await
            .assert_problem(404, "not_found");
        globex.delete(&path).await.assert_problem(404, "not_found");
    }
    let viewer = &app.acme.viewer;
    viewer
        .post("/api/deals", engines())
        .await
        .assert_problem(403, "forbidden");
    viewer
        .post(&format!("{path}/move"), to.clone())
        .await
        .assert_problem(403, "forbidden");
    viewer.delete(&path).await.assert_problem(403, "forbidden");
    let late = app
        .acme
        .member
        .post(&format!("{path}/move"), to)
        .header("if-match", "\"4\"");
    late.await.assert_problem(412, "precondition_failed");
    app.acme.member.delete(&path).await.assert_status(204);
    app.acme
        .member
        .get(&path)
        .await
        .assert_problem(404, "not_found");
    let back = app
        .acme
        .member
        .post(&format!("{path}/restore"), json!({}))
        .await;
    back.assert_status(200);
}
