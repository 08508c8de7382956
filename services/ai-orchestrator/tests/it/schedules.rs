//! Schedules: when they run, with what, and what happens when they come too late or too often.

use std::time::Duration;

use ai_orchestrator::AiOrchestrator;
use bz_kernel::{ExposeSecret, UserId};
use bz_testkit::{Client, Tenant, TestApp, wait_until};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    play::{model, say, until},
    provider::{Act, Provider},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// A schedule; tests have tokens that last as long as API keys do.
pub(crate) fn wanted(client: &Client) -> Value {
    json!({
        "name": "weekly", "cron": "0 8 * * 1", "timezone": "Europe/Berlin", "run": { "agent": "social-writer" },
        "api_key": client.token().unwrap().expose_secret(),
    })
}

async fn made(client: &Client, more: Value) -> Value {
    let mut body = wanted(client);
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    client
        .post("/api/schedules", body)
        .await
        .assert_status(201)
        .json()
}

#[tokio::test]
async fn a_schedule_is_made_once_changed_and_deleted_and_never_shows_its_key() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let member = &app.acme.member;
    let send = || {
        member
            .post("/api/schedules", wanted(member))
            .header("idempotency-key", "k")
    };
    let first = send().await.assert_status(201);
    assert!(!first.text().contains("api_key"));
    // Monday, 2 March 2026, 09:00 UTC is 10:00 in Berlin: the next one is a week later.
    assert_eq!(first.json()["next_run_at"], "2026-03-09T07:00:00Z");
    assert_eq!(
        send().await.assert_status(201).json()["id"],
        first.json()["id"]
    );
    let path = format!("/api/schedules/{}", first.json()["id"].as_str().unwrap());
    let mut changed = wanted(member);
    changed["cron"] = json!("30 9 * * *");
    changed["timezone"] = json!("UTC");
    changed.as_object_mut().unwrap().remove("api_key");
    member
        .put(&path, &changed)
        .header("if-match", "\"7\"")
        .await
        .assert_problem(412, "precondition_failed");
    let put = member.put(&path, &changed).await.assert_status(200).json();
    assert_eq!(
        (&put["next_run_at"], &put["version"]),
        (&json!("2026-03-02T09:30:00Z"), &json!(2))
    );
    // Whoever else changed it would run things with the member's key.
    app.acme
        .owner
        .put(&path, &changed)
        .await
        .assert_problem(403, "forbidden");
    app.acme.viewer.get(&path).await.assert_status(200);
    app.acme
        .viewer
        .delete(&path)
        .await
        .assert_problem(403, "forbidden");
    for (method, foreign) in [
        ("get", app.globex.owner.get(&path)),
        ("delete", app.globex.owner.delete(&path)),
        ("put", app.globex.owner.put(&path, &changed)),
    ] {
        assert_eq!(foreign.await.status, 404, "{method}");
    }
    app.acme.admin.delete(&path).await.assert_status(204);
    member.get(&path).await.assert_problem(404, "not_found");
    let list = member.get("/api/schedules").await.assert_status(200).json();
    assert_eq!(list, json!({ "items": [], "next_cursor": null }));
}

#[tokio::test]
async fn what_is_wrong_with_a_schedule_is_told_with_its_place() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let owner = &app.acme.owner;
    for (name, value, pointer) in [
        ("cron", json!("every day"), "/cron"),
        ("cron", json!("0 0 31 2 *"), "/cron"),
        ("timezone", json!("Mars/Olympus"), "/timezone"),
        ("name", json!(""), "/name"),
        ("run", json!({}), "/run/agent"),
        ("api_key", json!("ak_nonsense"), "/api_key"),
        (
            "api_key",
            json!(app.acme.member.token().unwrap().expose_secret()),
            "/api_key",
        ),
        (
            "api_key",
            json!(app.globex.owner.token().unwrap().expose_secret()),
            "/api_key",
        ),
        ("api_key", json!(null), "/api_key"),
    ] {
        let mut body = wanted(owner);
        body[name] = value;
        let answer = owner.post("/api/schedules", &body).await;
        // Without identity nobody can say whether an API key is good.
        if body["api_key"] == "ak_nonsense" {
            answer.assert_problem(503, "unavailable");
            continue;
        }
        let problem = answer.assert_problem(422, "validation_failed").json();
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
    app.acme
        .viewer
        .post("/api/schedules", wanted(&app.acme.viewer))
        .await
        .assert_problem(403, "forbidden");
}

async fn runs(client: &Client) -> Vec<Value> {
    let runs = client.get("/api/runs").await.assert_status(200).json();
    runs["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn when_its_time_comes_one_run_is_made_for_its_user_and_the_next_time_is_set() {
    let provider = model(vec![say("written")]).await;
    let mut app = provider.app().start().await;
    let member = app.acme.member.clone();
    let schedule = made(&member, json!({ "cron": "*/10 * * * *" })).await;
    app.clock.advance(TimeDelta::minutes(11));
    app.start_jobs();
    wait_until(async || runs(&member).await.len() == 1, PATIENCE).await;
    let run = runs(&member).await.remove(0);
    assert_eq!(run["schedule_id"], schedule["id"]);
    until(&member, run["id"].as_str().unwrap(), "succeeded").await;
    let path = format!("/api/schedules/{}", schedule["id"].as_str().unwrap());
    let after = member.get(&path).await.assert_status(200).json();
    assert_eq!(after["next_run_at"], "2026-03-02T09:20:00Z");
    assert_eq!(
        (&after["last_outcome"], &after["last_run_id"]),
        (&json!("started"), &run["id"])
    );
}

/// A schedule every ten minutes whose first run never ends, at its second time.
async fn overlapping(overlap: &str) -> (TestApp<AiOrchestrator>, Provider, Value) {
    let provider = Provider::that(Act::FallSilent(Vec::new())).await;
    let mut app = provider.app().start().await;
    let member = app.acme.member.clone();
    let schedule = made(
        &member,
        json!({ "cron": "*/10 * * * *", "overlap": overlap }),
    )
    .await;
    app.clock.advance(TimeDelta::minutes(10));
    app.start_jobs();
    wait_until(async || provider.open() == 1, PATIENCE).await;
    app.clock.advance(TimeDelta::minutes(10));
    (app, provider, schedule)
}

async fn outcome(app: &TestApp<AiOrchestrator>, schedule: &Value) -> Value {
    let path = format!("/api/schedules/{}", schedule["id"].as_str().unwrap());
    app.acme.member.get(&path).await.assert_status(200).json()["last_outcome"].clone()
}

#[tokio::test]
async fn while_the_run_before_is_not_over_the_next_one_is_left_out() {
    let (app, _provider, schedule) = overlapping("skip").await;
    wait_until(
        async || outcome(&app, &schedule).await == "skipped_overlap",
        PATIENCE,
    )
    .await;
    assert_eq!(runs(&app.acme.member).await.len(), 1);
}

#[tokio::test]
async fn or_the_run_before_is_ended_for_it() {
    let (app, _provider, _) = overlapping("cancel").await;
    wait_until(async || runs(&app.acme.member).await.len() == 2, PATIENCE).await;
    let first = runs(&app.acme.member).await.remove(1);
    until(&app.acme.member, first["id"].as_str().unwrap(), "cancelled").await;
}

#[tokio::test]
async fn or_it_waits_until_that_one_is_over() {
    let (app, _provider, _) = overlapping("queue").await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    let all = runs(&app.acme.member).await;
    assert_eq!(all.len(), 1);
    let cancel = format!("/api/runs/{}/cancel", all[0]["id"].as_str().unwrap());
    app.acme
        .member
        .post(&cancel, json!({}))
        .await
        .assert_status(200);
    wait_until(async || runs(&app.acme.member).await.len() == 2, PATIENCE).await;
}

#[tokio::test]
async fn times_that_were_missed_are_made_up_for_once_or_left_out() {
    let provider = model(vec![say("written")]).await;
    let mut app = provider.app().start().await;
    let member = app.acme.member.clone();
    let once = made(&member, json!({ "cron": "0 * * * *" })).await;
    let skip = made(&member, json!({ "cron": "0 * * * *", "misfire": "skip" })).await;
    app.clock.advance(TimeDelta::minutes(5 * 60 + 30));
    app.start_jobs();
    wait_until(
        async || outcome(&app, &skip).await == "skipped_misfire",
        PATIENCE,
    )
    .await;
    wait_until(async || outcome(&app, &once).await == "started", PATIENCE).await;
    assert_eq!(runs(&member).await.len(), 1);
}

#[tokio::test]
async fn a_schedule_whose_key_is_not_good_any_more_says_so_and_runs_nothing() {
    let mut app = TestApp::<AiOrchestrator>::start().await;
    let user = UserId::from_uuid(uuid::Uuid::from_u128(7));
    let mut claims = app.tokens.user_claims(Tenant::Acme, user, &["member"]);
    claims.exp = claims.iat + 60;
    let short = app.anonymous.with_token(app.tokens.sign(&claims));
    let schedule = made(&short, json!({ "cron": "*/10 * * * *" })).await;
    app.clock.advance(TimeDelta::minutes(11));
    app.start_jobs();
    wait_until(
        async || outcome(&app, &schedule).await == "failed",
        PATIENCE,
    )
    .await;
    assert!(runs(&app.acme.owner).await.is_empty());
}
