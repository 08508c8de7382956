//! Automations: what starts them, what they do, and what ends them.

use std::time::Duration;

use bz_testkit::{Receiver, TestApp, wait_until};
use crm::Crm;
use serde_json::{Value, json};
use sqlx::query_scalar;

use crate::crm_webhooks;

const PATIENCE: Duration = Duration::from_secs(20);

async fn automation(app: &TestApp<Crm>, body: Value) -> String {
    let made = app.acme.owner.post("/api/automations", body).await;
    let made = made.assert_status(201).json();
    format!("/api/automations/{}", made["id"].as_str().unwrap())
}

async fn lead(app: &TestApp<Crm>, body: Value) -> String {
    let made = app
        .acme
        .member
        .post("/api/leads", body)
        .await
        .assert_status(201)
        .json();
    format!("/api/leads/{}", made["id"].as_str().unwrap())
}

async fn runs(app: &TestApp<Crm>, path: &str) -> Vec<Value> {
    let page = app
        .acme
        .owner
        .get(&format!("{path}/runs"))
        .await
        .assert_status(200)
        .json();
    page["items"].as_array().unwrap().clone()
}

/// Waits until the outbox was read and every run has ended.
async fn settled(app: &TestApp<Crm>) {
    let mut admin = app.database.admin().await;
    let quiet = async || -> bool {
        query_scalar(
            "SELECT NOT EXISTS (SELECT FROM crm.automation_runs WHERE status = 'pending') AND NOT EXISTS ( \
               SELECT FROM crm.events AS e JOIN crm.automation_cursor AS c ON (e.txid, e.seq) > (c.txid, c.seq))",
        )
        .fetch_one(&mut admin)
        .await
        .unwrap()
    };
    wait_until(quiet, PATIENCE).await;
}

fn welcome() -> Value {
    json!({
        "name": "Welcome", "record_type": "lead", "when": ["lead.created"], "filter": { "field": "source", "value": "referral" },
        "actions": [
            { "type": "add_tag", "tag": "warm" }, { "type": "set_fields", "fields": { "status": "working" } },
            { "type": "create_record", "record_type": "company", "fields": { "name": "From an automation" } }
        ],
    })
}

#[tokio::test]
async fn an_event_on_a_record_that_passes_the_filter_starts_the_actions_once() {
    let mut app = TestApp::<Crm>::start().await;
    let path = automation(&app, welcome()).await;
    let (ours, other) = (
        lead(&app, json!({ "first_name": "Ada", "source": "referral" })).await,
        lead(&app, json!({ "first_name": "Grace", "source": "fair" })).await,
    );
    app.start_jobs();
    settled(&app).await;
    app.stop_jobs().await;
    let ada = app.acme.owner.get(&ours).await.json();
    assert_eq!(
        (&ada["tags"], &ada["status"], &ada["version"]),
        (&json!(["warm"]), &json!("working"), &json!(3))
    );
    assert_eq!(app.acme.owner.get(&other).await.json()["version"], 1);
    let companies = app.acme.owner.get("/api/companies").await.json();
    assert_eq!(companies["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        companies["items"][0]["created_by"],
        app.acme.owner.get(&path).await.json()["created_by"]
    );
    let runs = runs(&app, &path).await;
    assert_eq!(runs.len(), 1);
    assert_eq!(
        (&runs[0]["status"], &runs[0]["record_id"]),
        (&json!("done"), &ada["id"])
    );
    assert_eq!(
        runs[0]["outcomes"][0],
        json!({ "action": "add_tag", "result": "changed" })
    );

    // Read again from the beginning, as after a crash: nothing is done twice.
    let again = "UPDATE crm.automation_cursor SET txid = '0', seq = 0";
    sqlx::query(again)
        .execute(&mut app.database.admin().await)
        .await
        .unwrap();
    let mut second = TestApp::<Crm>::builder().beside(&app).start().await;
    second.start_jobs();
    settled(&app).await;
    second.stop_jobs().await;
    assert_eq!(app.acme.owner.get(&ours).await.json()["version"], 3);
}

#[tokio::test]
async fn a_chain_of_automations_ends_and_none_starts_itself() {
    let mut app = TestApp::<Crm>::start().await;
    let loops = |name: &str, from: &str, to: &str| {
        json!({
            "name": name, "record_type": "lead", "when": ["lead.updated"], "changed_fields": ["status"],
            "filter": { "field": "status", "value": from }, "actions": [{ "type": "set_fields", "fields": { "status": to } }],
        })
    };
    let there = automation(&app, loops("There", "working", "nurturing")).await;
    let back = automation(&app, loops("Back", "nurturing", "working")).await;
    let own = json!({
        "name": "Own", "record_type": "lead", "when": ["lead.updated"], "actions": [{ "type": "set_fields", "fields": { "city": "Berlin" } }],
    });
    let own = automation(&app, own).await;
    let path = lead(&app, json!({ "first_name": "Ada" })).await;
    // A change of another field starts only the third.
    app.acme
        .member
        .patch(&path, json!({ "title": "CEO" }))
        .await
        .assert_status(200);
    app.start_jobs();
    settled(&app).await;
    assert_eq!(runs(&app, &own).await.len(), 1);
    assert!(runs(&app, &there).await.is_empty() && runs(&app, &back).await.is_empty());
    app.acme
        .member
        .patch(&path, json!({ "status": "working" }))
        .await
        .assert_status(200);
    settled(&app).await;
    app.stop_jobs().await;
    let mut all = runs(&app, &there).await;
    all.extend(runs(&app, &back).await);
    let done = all.iter().filter(|run| run["status"] == "done").count();
    let deepest = all.iter().find(|run| run["status"] == "skipped").unwrap();
    assert_eq!(deepest["error"], "too_deep");
    assert_eq!(deepest["depth"], 5);
    // The filter looks at the record as it is when the run is done, so an event may start both.
    assert!((5..=10).contains(&done), "{done}");
}

#[tokio::test]
async fn a_failure_keeps_nothing_says_why_and_ten_of_them_disable_the_automation() {
    let mut app = TestApp::<Crm>::start().await;
    let broken = json!({
        "name": "Agent", "record_type": "lead", "when": ["lead.created"],
        "actions": [{ "type": "add_tag", "tag": "seen" }, { "type": "run_agent", "agent": "researcher" }],
    });
    let path = automation(&app, broken).await;
    let first = lead(&app, json!({ "first_name": "Ada" })).await;
    app.start_jobs();
    settled(&app).await;
    let failed = runs(&app, &path).await;
    assert_eq!(failed[0]["status"], "failed");
    assert!(
        failed[0]["error"]
            .as_str()
            .unwrap()
            .starts_with("agents_cannot_run: "),
        "{failed:?}"
    );
    assert_eq!(app.acme.owner.get(&first).await.json()["tags"], json!([]));
    for _ in 0..9 {
        lead(&app, json!({ "first_name": "Ada" })).await;
    }
    settled(&app).await;
    let disabled = app.acme.owner.get(&path).await.json();
    assert_eq!(
        (
            &disabled["enabled"],
            &disabled["disabled_reason"],
            &disabled["failures"]
        ),
        (&json!(false), &json!("failing"), &json!(10))
    );
    assert!(
        crate::events(&app)
            .await
            .contains(&"automation.disabled".to_owned())
    );
    lead(&app, json!({ "first_name": "Late" })).await;
    settled(&app).await;
    assert_eq!(runs(&app, &path).await.len(), 10);
    let enabled = app
        .acme
        .owner
        .patch(&path, json!({ "enabled": true }))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&enabled["failures"], &enabled["disabled_reason"]),
        (&json!(0), &Value::Null)
    );
    app.stop_jobs().await;
}

#[tokio::test]
async fn a_dry_run_shows_what_would_happen_and_changes_nothing() {
    let app = TestApp::<Crm>::start().await;
    let path = automation(&app, welcome()).await;
    let dry = format!("{path}/dry-run");
    let id = |path: &str| json!({ "record_id": path.rsplit('/').next().unwrap() });
    let (ours, other) = (
        lead(&app, json!({ "first_name": "Ada", "source": "referral" })).await,
        lead(&app, json!({ "first_name": "Grace" })).await,
    );
    let shown = app
        .acme
        .owner
        .post(&dry, id(&ours))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (
            &shown["matches"],
            &shown["error"],
            shown["outcomes"].as_array().unwrap().len()
        ),
        (&json!(true), &Value::Null, 3)
    );
    let shown = app
        .acme
        .owner
        .post(&dry, id(&other))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&shown["matches"], &shown["outcomes"]),
        (&json!(false), &json!([]))
    );
    assert_eq!(app.acme.owner.get(&ours).await.json()["version"], 1);
    assert!(
        app.acme.owner.get("/api/companies").await.json()["items"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    let nobody = json!({ "record_id": "0199fa3e-0000-7000-8000-000000000000" });
    let shown = app
        .acme
        .owner
        .post(&dry, nobody)
        .await
        .assert_status(200)
        .json();
    let error = shown["error"].as_str().unwrap();
    assert!(shown["matches"] == false && error.starts_with("record_not_found"));
    app.globex
        .owner
        .post(&dry, id(&ours))
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn an_automation_calls_a_webhook_and_acts_with_its_creators_sight() {
    let mut app = crm_webhooks::start().await;
    let receiver = Receiver::answering(200).await;
    let webhook = crm_webhooks::hook(&app.acme.owner, &receiver.url, &["company.created"]).await;
    let calls = json!({
        "name": "Calls", "record_type": "lead", "when": ["lead.created"],
        "actions": [{ "type": "call_webhook", "webhook_id": webhook["id"] }],
    });
    automation(&app, calls).await;
    let narrow = json!({ "name": "Narrow", "record_type": "lead", "when": ["lead.created"], "actions": [{ "type": "add_tag", "tag": "mine" }] });
    let narrow = automation(&app, narrow).await;
    let member = "UPDATE crm.automations SET roles = '{member}' WHERE name = 'Narrow'";
    let own = "INSERT INTO crm.record_access (tenant_id, role, record_type, reads, writes, updated_at) \
               VALUES ($1, 'member', 'lead', 'own', 'own', now())";
    let mut admin = app.database.admin().await;
    sqlx::query(member).execute(&mut admin).await.unwrap();
    sqlx::query(own)
        .bind(app.acme.id().as_uuid())
        .execute(&mut admin)
        .await
        .unwrap();
    let path = lead(&app, json!({ "first_name": "Ada" })).await;
    app.start_jobs();
    wait_until(async || receiver.messages().len() == 1, PATIENCE).await;
    settled(&app).await;
    app.stop_jobs().await;
    let body = receiver.messages()[0].json();
    assert_eq!(body["type"], "automation.fired");
    assert_eq!(
        (
            &body["data"]["event"],
            path.ends_with(body["data"]["record_id"].as_str().unwrap())
        ),
        (&json!("lead.created"), true)
    );
    assert!(
        runs(&app, &narrow).await.is_empty(),
        "the creator does not see the record"
    );
    assert_eq!(app.acme.owner.get(&path).await.json()["tags"], json!([]));
}

#[tokio::test]
async fn an_automation_is_set_up_shown_changed_and_deleted_and_nonsense_is_refused() {
    let app = TestApp::<Crm>::start().await;
    let owner = &app.acme.owner;
    let made = owner
        .post("/api/automations", welcome())
        .header("idempotency-key", "once")
        .await
        .assert_status(201);
    let again = owner
        .post("/api/automations", welcome())
        .header("idempotency-key", "once")
        .await
        .assert_status(201);
    assert_eq!(
        (made.json(), made.header("etag")),
        (again.json(), Some("\"1\""))
    );
    owner
        .post("/api/automations", welcome())
        .await
        .assert_problem(409, "name_taken");
    let path = format!("/api/automations/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(
        owner.get(&path).await.assert_status(200).json(),
        made.json()
    );
    let list = owner
        .get("/api/automations")
        .await
        .assert_status(200)
        .json();
    assert_eq!(list["items"], json!([made.json()]));
    let stale = owner
        .patch(&path, json!({ "enabled": false }))
        .header("if-match", "\"7\"")
        .await;
    stale.assert_problem(412, "precondition_failed");
    let changed = owner
        .patch(&path, json!({ "enabled": false, "filter": null }))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&changed["enabled"], &changed["filter"], &changed["version"]),
        (&json!(false), &Value::Null, &json!(2))
    );
    app.acme
        .member
        .get(&path)
        .await
        .assert_problem(403, "forbidden");
    app.globex
        .owner
        .get(&path)
        .await
        .assert_problem(404, "not_found");
    for (member, value) in [
        ("name", json!("")),
        ("record_type", json!("dragon")),
        ("when", json!(["company.created"])),
        ("when", json!([])),
        ("changed_fields", json!(["nothing"])),
        ("filter", json!({ "field": "nothing", "value": 1 })),
        ("actions", json!([])),
        ("actions", json!([{ "type": "fly" }])),
        (
            "actions",
            json!([{ "type": "set_fields", "fields": { "version": 1 } }]),
        ),
        ("actions", json!([{ "type": "add_tag", "tag": " " }])),
        (
            "actions",
            json!([{ "type": "create_record", "record_type": "dragon", "fields": {} }]),
        ),
    ] {
        let mut body = welcome();
        body[member] = value;
        let answer = owner.post("/api/automations", &body).await;
        assert_eq!(answer.status.as_u16(), 422, "{body}: {}", answer.describe());
    }
    owner.delete(&path).await.assert_status(204);
    owner.delete(&path).await.assert_problem(404, "not_found");
    owner.get(&path).await.assert_problem(404, "not_found");
}
