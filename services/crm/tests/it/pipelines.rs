//! Pipelines and their stages.

use bz_testkit::TestApp;
use chrono::TimeDelta;
use crm::Crm;
use serde_json::{Value, json};

use crate::{events, list, made, path_of};

fn short() -> Value {
    json!({ "name": "Partners", "stages": [
        { "name": "Talking", "probability": 30 }, { "name": "Signing", "probability": 80 },
        { "name": "Won", "kind": "won" }, { "name": "Lost", "kind": "lost" },
    ] })
}

fn stage(pipeline: &Value, name: &str) -> Value {
    let stages = pipeline["stages"].as_array().unwrap();
    stages.iter().find(|stage| stage["name"] == name).unwrap()["id"].clone()
}

#[tokio::test]
async fn a_tenant_gets_one_default_pipeline_however_many_ask_at_once() {
    // They wait for one another; none may give up waiting for a connection meanwhile.
    let app = TestApp::<Crm>::builder()
        .env("DB_ACQUIRE_TIMEOUT", "30s")
        .start()
        .await;
    let mut asking = tokio::task::JoinSet::new();
    for n in 0..8 {
        let (viewer, member) = (app.acme.viewer.clone(), app.acme.member.clone());
        asking.spawn(async move {
            if n % 2 == 0 {
                viewer.get("/api/pipelines").await.assert_status(200).json()["items"][0]["id"]
                    .clone()
            } else {
                made(&member, "/api/deals", json!({ "name": "x" })).await["pipeline_id"].clone()
            }
        });
    }
    let mut ids = asking.join_all().await;
    ids.sort_by_key(Value::to_string);
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let all = list(&app.acme.viewer, "/api/pipelines").await;
    let kinds: Vec<&str> = all[0]["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        (all.len(), kinds),
        (1, vec!["open", "open", "open", "open", "won", "lost"])
    );
    assert_eq!(all[0]["default"], true);
    let other = list(&app.globex.viewer, "/api/pipelines").await;
    assert_ne!(other[0]["id"], all[0]["id"]);
}

#[tokio::test]
async fn a_created_pipeline_is_there_and_the_same_key_creates_one() {
    let app = TestApp::<Crm>::start().await;
    let send = async |body: Value| {
        app.acme
            .owner
            .post("/api/pipelines", body)
            .header("idempotency-key", "k")
            .await
    };
    let created = send(short()).await.assert_status(201).json();
    assert_eq!(send(short()).await.assert_status(201).json(), created);
    assert_eq!(created["stages"][2]["probability"], 100);
    assert_eq!(created["stages"][3]["position"], 3);
    let path = path_of("/api/pipelines", &created);
    assert_eq!(
        app.acme.viewer.get(&path).await.assert_status(200).json(),
        created
    );
    let again = app.acme.owner.post("/api/pipelines", short()).await;
    again.assert_problem(409, "name_taken");
    assert_eq!(list(&app.acme.viewer, "/api/pipelines").await.len(), 2);
}

#[tokio::test]
async fn exactly_one_pipeline_is_the_default() {
    let app = TestApp::<Crm>::start().await;
    let first = list(&app.acme.owner, "/api/pipelines").await[0].clone();
    let second = path_of(
        "/api/pipelines",
        &made(&app.acme.owner, "/api/pipelines", short()).await,
    );
    let first = path_of("/api/pipelines", &first);
    app.acme
        .owner
        .patch(&second, json!({ "default": true }))
        .await
        .assert_status(200);
    assert_eq!(app.acme.owner.get(&first).await.json()["default"], false);
    let none = app
        .acme
        .owner
        .patch(&second, json!({ "default": false }))
        .await;
    none.assert_problem(409, "default_pipeline");
    app.acme
        .owner
        .delete(&second)
        .await
        .assert_problem(409, "default_pipeline");
    app.acme.owner.delete(&first).await.assert_status(204);
    app.acme
        .owner
        .get(&first)
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn stages_keep_their_ids_and_what_is_left_out_needs_a_place_for_its_deals() {
    let app = TestApp::<Crm>::start().await;
    let pipeline = made(&app.acme.owner, "/api/pipelines", short()).await;
    let path = path_of("/api/pipelines", &pipeline);
    let (talking, signing) = (stage(&pipeline, "Talking"), stage(&pipeline, "Signing"));
    let deal = json!({ "name": "Engines", "stage_id": talking, "amount": { "amount": "100.00", "currency": "EUR" } });
    let deal = path_of(
        "/api/deals",
        &made(&app.acme.member, "/api/deals", deal).await,
    );
    app.clock.advance(TimeDelta::seconds(1));
    let mut wanted = short();
    wanted["stages"] = json!([
        { "name": "First", "probability": 10 }, { "id": signing, "name": "Talking", "probability": 90 },
        { "name": "Won", "kind": "won" }, { "name": "Lost", "kind": "lost" },
    ]);
    let refused = app.acme.owner.put(&path, wanted.clone()).await;
    refused.assert_problem(409, "stage_in_use");
    let lost = format!("{path}?move_to={}", talking.as_str().unwrap());
    app.acme
        .owner
        .put(&lost, wanted.clone())
        .await
        .assert_problem(422, "validation_failed");
    let moving = format!("{path}?move_to={}", signing.as_str().unwrap());
    let after = app
        .acme
        .owner
        .put(&moving, wanted)
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&after["stages"][1]["id"], &after["version"]),
        (&signing, &json!(2))
    );
    let moved = app.acme.viewer.get(&deal).await.json();
    assert_eq!(
        (&moved["stage_id"], &moved["weighted_amount"]["amount"]),
        (&signing, &json!("90.00"))
    );
    let steps = list(&app.acme.viewer, &format!("{deal}/stage-history")).await;
    assert_eq!(
        (&steps[0]["from_stage"], &steps[0]["to_stage"]),
        (&talking, &signing)
    );
    assert_eq!(events(&app).await, ["deal.created", "deal.moved"]);
}

#[tokio::test]
async fn a_probability_weighs_the_deals_again_and_a_kind_stays_while_deals_are_in_it() {
    let app = TestApp::<Crm>::start().await;
    let pipeline = made(&app.acme.owner, "/api/pipelines", short()).await;
    let path = path_of("/api/pipelines", &pipeline);
    let amount = json!({ "amount": "200.00", "currency": "EUR" });
    let body = json!({ "name": "x", "stage_id": stage(&pipeline, "Talking"), "amount": amount });
    let deal = path_of(
        "/api/deals",
        &made(&app.acme.member, "/api/deals", body.clone()).await,
    );
    let mut own = body;
    own["probability"] = json!(10);
    let own = path_of(
        "/api/deals",
        &made(&app.acme.member, "/api/deals", own).await,
    );
    let mut stages = pipeline["stages"].clone();
    stages[0]["probability"] = json!(45);
    app.acme
        .owner
        .patch(&path, json!({ "stages": stages }))
        .await
        .assert_status(200);
    let worth = async |path: &str| {
        app.acme.viewer.get(path).await.json()["weighted_amount"]["amount"].clone()
    };
    assert_eq!(
        (worth(&deal).await, worth(&own).await),
        (json!("90.00"), json!("20.00"))
    );
    stages[0]["kind"] = json!("won");
    stages[0]["probability"] = json!(100);
    let turned = app
        .acme
        .owner
        .patch(&path, json!({ "stages": stages }))
        .await;
    turned.assert_problem(409, "stage_in_use");
}

#[tokio::test]
async fn a_pipeline_goes_when_its_deals_have_a_place() {
    let app = TestApp::<Crm>::start().await;
    let usual = list(&app.acme.owner, "/api/pipelines").await[0].clone();
    let pipeline = made(&app.acme.owner, "/api/pipelines", short()).await;
    let path = path_of("/api/pipelines", &pipeline);
    let deal = json!({ "name": "x", "pipeline_id": pipeline["id"] });
    let deal = path_of(
        "/api/deals",
        &made(&app.acme.member, "/api/deals", deal).await,
    );
    let trash = json!({ "name": "y", "pipeline_id": pipeline["id"] });
    let trash = path_of(
        "/api/deals",
        &made(&app.acme.member, "/api/deals", trash).await,
    );
    app.acme.member.delete(&trash).await.assert_status(204);
    app.acme
        .owner
        .delete(&path)
        .await
        .assert_problem(409, "stage_in_use");
    let won = stage(&usual, "Won");
    let moving = format!("{path}?move_to={}", won.as_str().unwrap());
    app.acme.owner.delete(&moving).await.assert_status(204);
    let moved = app.acme.viewer.get(&deal).await.json();
    assert_eq!(
        (&moved["pipeline_id"], &moved["status"]),
        (&usual["id"], &json!("won"))
    );
    let back = app
        .acme
        .member
        .post(&format!("{trash}/restore"), json!({}))
        .await;
    assert_eq!(back.assert_status(200).json()["stage_id"], won);
    assert!(events(&app).await.contains(&"deal.won".to_owned()));
}

#[tokio::test]
async fn pipelines_keep_to_tenant_permission_and_version() {
    let app = TestApp::<Crm>::start().await;
    let pipeline = made(&app.acme.owner, "/api/pipelines", short()).await;
    let path = path_of("/api/pipelines", &pipeline);
    for path in [
        path.as_str(),
        "/api/pipelines/0199fa3e-0000-7000-8000-000000000000",
    ] {
        app.globex
            .owner
            .get(path)
            .await
            .assert_problem(404, "not_found");
        app.globex
            .owner
            .get(&format!("{path}/forecast"))
            .await
            .assert_problem(404, "not_found");
        app.globex
            .owner
            .put(path, short())
            .await
            .assert_problem(404, "not_found");
        app.globex
            .owner
            .patch(path, json!({ "name": "x" }))
            .await
            .assert_problem(404, "not_found");
        app.globex
            .owner
            .delete(path)
            .await
            .assert_problem(404, "not_found");
    }
    let member = &app.acme.member;
    member.get(&path).await.assert_status(200);
    member
        .post("/api/pipelines", short())
        .await
        .assert_problem(403, "forbidden");
    member
        .put(&path, short())
        .await
        .assert_problem(403, "forbidden");
    member
        .patch(&path, json!({}))
        .await
        .assert_problem(403, "forbidden");
    member.delete(&path).await.assert_problem(403, "forbidden");
    let late = app
        .acme
        .owner
        .patch(&path, json!({ "name": "x" }))
        .header("if-match", "\"9\"");
    late.await.assert_problem(412, "precondition_failed");
}

#[tokio::test]
async fn what_is_wrong_with_stages_is_said_at_its_place() {
    let app = TestApp::<Crm>::start().await;
    let stages = |stages: Value| json!({ "name": "P", "stages": stages });
    for (bad, pointer) in [
        (stages(json!([{ "name": "Won", "kind": "won" }])), "/stages"),
        (stages(json!([{ "name": "A" }])), "/stages/0/probability"),
        (
            stages(json!([{ "name": "A", "probability": 101 }])),
            "/stages/0/probability",
        ),
        (
            stages(json!([{ "name": "A", "probability": 1 }, { "name": "A", "probability": 2 }])),
            "/stages/1/name",
        ),
        (
            stages(
                json!([{ "name": "A", "probability": 1 }, { "name": "W", "kind": "won", "probability": 90 }]),
            ),
            "/stages/1/probability",
        ),
        (
            stages(json!([{ "name": "A", "probability": 1, "required_fields": ["colour"] }])),
            "/stages/0/required_fields/0",
        ),
        (
            stages(json!([{ "name": "A", "probability": 1, "rot_days": 0 }])),
            "/stages/0/rot_days",
        ),
        (json!({ "name": " " }), "/name"),
    ] {
        let answer = app.acme.owner.post("/api/pipelines", bad.clone()).await;
        let answer = answer.assert_problem(422, "validation_failed").json();
        assert_eq!(answer["errors"][0]["pointer"], pointer, "{bad}");
    }
    let pipeline = made(&app.acme.owner, "/api/pipelines", short()).await;
    let path = path_of("/api/pipelines", &pipeline);
    let none = app.acme.owner.put(&path, json!({ "name": "P" })).await;
    none.assert_problem(422, "validation_failed");
    let foreign = list(&app.globex.owner, "/api/pipelines").await[0]["stages"].clone();
    let foreign = app
        .acme
        .owner
        .patch(&path, json!({ "stages": foreign }))
        .await;
    foreign.assert_problem(422, "validation_failed");
}
