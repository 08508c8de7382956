//! Deals: where they stand, what they are worth, how they move.

use bz_testkit::TestApp;
use chrono::TimeDelta;
use crm::Crm;
use serde_json::{Value, json};

use crate::{events, list, made, path_of};

const NOBODYS: &str = "0199fa3e-0000-7000-8000-000000000000";

async fn stages(app: &TestApp<Crm>) -> Vec<Value> {
    let pipelines = list(&app.acme.viewer, "/api/pipelines").await;
    let stages = pipelines[0]["stages"].as_array().unwrap();
    stages.iter().map(|stage| stage["id"].clone()).collect()
}

fn engines() -> Value {
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
