//! Schedules and their runs with API keys of users, as identity exchanges them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ai_orchestrator::AiOrchestrator;
use bz_auth::api_key::KeyGrant;
use bz_kernel::platform;
use bz_testkit::{Client, Role, Tenant, TestApp, wait_until};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    ledger::Ledger,
    play::{call, model, say, until},
    provider::{Act, Provider},
};

const PATIENCE: Duration = Duration::from_secs(20);
const KEY: &str = "ak_live_of_a_program";
/// What the key is good for: the assistant's tools, its runs and schedules.
const SCOPES: &[&str] = &[
    "runs:read",
    "runs:write",
    "schedules:read",
    "schedules:write",
    "todos:read",
    "todos:write",
    "memory:read",
    "memory:write",
];

/// The service beside an identity that knows one key, with a CRM and a model.
struct Office {
    app: TestApp<AiOrchestrator>,
    crm: Ledger,
    /// What identity answers about the key; it is not good when that is null.
    grant: Arc<Mutex<Value>>,
    _identity: Provider,
    _model: Provider,
}

impl Office {
    async fn open(scopes: &[&str], ip_allow: &[&str]) -> Self {
        let grant = Arc::new(Mutex::new(json!(null)));
        let desk = Arc::clone(&grant);
        let identity = Provider::scripted(move |seen| {
            let grant = desk.lock().unwrap();
            match seen.body["key"] == KEY && !grant.is_null() {
                true => Act::json(200, &grant),
                false => Act::json(404, &json!({})),
            }
        })
        .await;
        let model = model(vec![
            call("crm.todos.create", json!({ "title": "by key" })),
            say("done"),
        ])
        .await;
        let crm = Ledger::start().await;
        let url = format!("http://{}", identity.address()).parse().unwrap();
        let app = crm.of(model.app()).sibling(&platform::IDENTITY, &url);
        let app = app.start().await;
        let office = Self {
            app,
            crm,
            grant,
            _identity: identity,
            _model: model,
        };
        office.allow(scopes, ip_allow);
        office
    }

    /// Says for how long and for what the key is good from now on.
    fn allow(&self, scopes: &[&str], ip_allow: &[&str]) {
        let user = Tenant::Acme.user(Role::Member);
        let mut claims = self.app.tokens.user_claims(Tenant::Acme, user, &[]);
        let now = self.app.core.sources.now().timestamp();
        claims.exp = u64::try_from(now).unwrap() + 30;
        claims.entitlements = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let ip_allow = ip_allow.iter().map(|net| net.parse().unwrap()).collect();
        let grant = serde_json::to_value(KeyGrant { claims, ip_allow });
        *self.grant.lock().unwrap() = grant.unwrap();
    }

    fn program(&self) -> Client {
        self.app.anonymous.with_token(KEY.to_owned())
    }
}

fn order() -> Value {
    json!({
        "name": "to-dos", "cron": "*/10 * * * *", "run": { "agent": "personal-assistant", "task": "see to my to-dos" },
    })
}

async fn schedule(client: &Client, made: &Value) -> Value {
    let path = format!("/api/schedules/{}", made["id"].as_str().unwrap());
    client.get(&path).await.assert_status(200).json()
}

#[tokio::test]
async fn a_schedule_works_with_the_api_key_that_it_was_made_with() {
    let mut office = Office::open(SCOPES, &[]).await;
    let program = office.program();
    let made = program.post("/api/schedules", order()).await;
    let made = made.assert_status(201);
    assert!(!made.text().contains(KEY));
    let made = made.json();
    office.app.clock.advance(TimeDelta::minutes(11));
    office.allow(SCOPES, &[]);
    office.app.start_jobs();
    let member = office.app.acme.member.clone();
    let started = async || schedule(&member, &made).await["last_outcome"] == "started";
    wait_until(started, PATIENCE).await;
    let run = schedule(&member, &made).await["last_run_id"].clone();
    let run = until(&member, run.as_str().unwrap(), "succeeded").await;
    assert_eq!(run["schedule_id"], made["id"]);
    // The CRM was asked with the key itself.
    assert_eq!(office.crm.of_user(&program), ["by key"]);
}

#[tokio::test]
async fn a_user_gives_a_schedule_an_api_key_and_changes_it_without_sending_it_again() {
    let mut office = Office::open(SCOPES, &[]).await;
    let member = office.app.acme.member.clone();
    let mut body = order();
    body["api_key"] = json!(KEY);
    let made = member
        .post("/api/schedules", &body)
        .await
        .assert_status(201)
        .json();
    let path = format!("/api/schedules/{}", made["id"].as_str().unwrap());
    let mut changed = order();
    changed["cron"] = json!("*/5 * * * *");
    member.put(&path, &changed).await.assert_status(200);
    office.app.clock.advance(TimeDelta::minutes(6));
    office.allow(SCOPES, &[]);
    office.app.start_jobs();
    let started = async || schedule(&member, &made).await["last_outcome"] == "started";
    wait_until(started, PATIENCE).await;
    wait_until(async || office.crm.all() == ["by key"], PATIENCE).await;
    // Nobody else's key: it would lend its rights to whoever made the schedule.
    let strange = office.app.acme.admin.post("/api/schedules", &body).await;
    let strange = strange.assert_problem(422, "validation_failed").json();
    assert_eq!(strange["errors"][0]["pointer"], "/api_key");
    let foreign = office.app.globex.member.post("/api/schedules", &body).await;
    foreign.assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn a_key_that_is_revoked_or_lost_a_scope_makes_no_run_and_the_schedule_says_why() {
    let mut office = Office::open(SCOPES, &[]).await;
    let program = office.program();
    let made = program
        .post("/api/schedules", order())
        .await
        .assert_status(201)
        .json();
    let member = office.app.acme.member.clone();
    office.app.clock.advance(TimeDelta::minutes(11));
    office.allow(&["runs:write"], &[]);
    office.app.start_jobs();
    let failed = async || schedule(&member, &made).await["last_outcome"] == "failed";
    wait_until(failed, PATIENCE).await;
    let told = schedule(&member, &made).await;
    assert_eq!(told["error"]["code"], "forbidden_tool", "{told}");
    *office.grant.lock().unwrap() = json!(null);
    office.app.clock.advance(TimeDelta::minutes(11));
    let revoked = async || schedule(&member, &made).await["error"]["code"] == "forbidden";
    wait_until(revoked, PATIENCE).await;
    assert_eq!(schedule(&member, &made).await["last_run_id"], json!(null));
    assert_eq!(office.crm.all(), Vec::<String>::new());
}

#[tokio::test]
async fn a_key_for_certain_addresses_is_refused_because_runs_come_from_here() {
    let office = Office::open(SCOPES, &["127.0.0.0/8", "::1/128"]).await;
    // From an address of the list, with the key itself or with a login beside it.
    let mut body = order();
    let here = || "127.0.0.1".parse().unwrap();
    let by_key = office.program().post("/api/schedules", &body).from(here());
    let by_key = by_key.await;
    body["api_key"] = json!(KEY);
    let by_login = office.app.acme.member.post("/api/schedules", &body);
    let by_login = by_login.from(here()).await;
    for answer in [by_key, by_login] {
        let problem = answer.assert_problem(422, "validation_failed").json();
        assert_eq!(problem["errors"][0]["pointer"], "/api_key", "{problem}");
        let message = problem["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("address"), "{message}");
    }
}
