//! What budgets mean for runs: how many there may be, and what they may use, a crew's own budget among them.

use ai_orchestrator::AiOrchestrator;
use bz_testkit::{Client, TestApp, TestResponse};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    budgets::patient,
    crews::crew,
    play::{World, model, run, say, start_with, until},
};

const BUDGETS: &str = "/api/budgets";

async fn set(app: &TestApp<AiOrchestrator>, items: Value) {
    let set = app.acme.owner.put(BUDGETS, json!({ "items": items })).await;
    set.assert_status(200);
}

/// A hard budget of a day.
fn budget(scope: &str, limit: &str, most: i64) -> Value {
    json!({ "scope": scope, "period": "day", limit: most, "hard": true })
}

/// What is used of the first budget.
async fn used(client: &Client) -> Value {
    let list = client.get(BUDGETS).await.assert_status(200).json();
    list["items"][0]["used"].clone()
}

/// The item of a list that has a value.
fn found<'a>(list: &'a Value, name: &str, value: &Value) -> &'a Value {
    let mut items = list["items"].as_array().unwrap().iter();
    items.find(|item| item[name] == *value).unwrap()
}

fn writer() -> Value {
    json!({ "agent": "social-writer" })
}

async fn order(client: &Client) -> TestResponse {
    client.post("/api/runs", writer()).await
}

#[tokio::test]
async fn a_budget_of_runs_refuses_the_one_too_many_and_counts_a_repeated_request_once() {
    let app = TestApp::<AiOrchestrator>::start().await;
    set(&app, json!([budget("tenant", "max_runs", 2)])).await;
    let member = &app.acme.member;
    let send = || {
        member
            .post("/api/runs", writer())
            .header("idempotency-key", "k")
    };
    let first = send().await.assert_status(202).json();
    assert_eq!(send().await.assert_status(202).json()["id"], first["id"]);
    assert_eq!(used(member).await["runs"], 1);
    let fork = format!("/api/runs/{}/fork?step=0", first["id"].as_str().unwrap());
    member.post(&fork, json!({})).await.assert_status(202);
    for refused in [order(member).await, member.post(&fork, json!({})).await] {
        let problem = refused.assert_problem(402, "budget_exceeded").json();
        assert!(problem["detail"].as_str().unwrap().contains("tenant"));
    }
    assert_eq!(used(member).await["runs"], 2, "nothing is counted then");
    order(&app.globex.member).await.assert_status(202);
}

#[tokio::test]
async fn what_a_later_budget_refuses_is_counted_in_none() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let soft = json!({ "scope": "tenant", "period": "month", "max_runs": 1, "hard": false });
    set(&app, json!([soft, budget("user", "max_runs", 1)])).await;
    order(&app.acme.member).await.assert_status(202);
    order(&app.acme.member)
        .await
        .assert_problem(402, "budget_exceeded");
    // Each user has one; the soft one only counts.
    order(&app.acme.owner).await.assert_status(202);
    let list = app.acme.owner.get(BUDGETS).await.assert_status(200).json();
    let runs = |scope: &str| found(&list, "scope", &json!(scope))["used"]["runs"].clone();
    assert_eq!((runs("tenant"), runs("user")), (json!(2), json!(1)));
}

#[tokio::test]
async fn fifty_runs_ordered_side_by_side_are_no_more_than_the_budget_has() {
    let app = patient(TestApp::builder()).start().await;
    set(&app, json!([budget("tenant", "max_runs", 10)])).await;
    let answers = join_all((0..50).map(|_| order(&app.acme.member))).await;
    let made = answers.iter().filter(|answer| answer.status == 202).count();
    for answer in answers.into_iter().filter(|answer| answer.status != 202) {
        answer.assert_problem(402, "budget_exceeded");
    }
    assert_eq!(made, 10);
    assert_eq!(used(&app.acme.member).await["runs"], 10);
}

#[tokio::test]
async fn fifty_runs_side_by_side_never_use_more_tokens_than_the_budget_has() {
    let provider = model(vec![say("done")]).await;
    let mut world = World::still(&provider).await;
    // Room for a few questions at a time: each reserves its length and its longest answer, and uses 30.
    let most = 3000;
    set(&world.app, json!([budget("tenant", "max_tokens", most)])).await;
    let member = world.app.acme.member.clone();
    let limited = json!({ "agent": "social-writer", "limits": { "max_tokens": 1000 } });
    let mut runs = Vec::new();
    for _ in 0..50 {
        runs.push(start_with(&member, limited.clone()).await);
    }
    world.app.start_jobs();
    let mut fine = 0;
    for id in &runs {
        let over = over(&member, id, most).await;
        match over["status"].as_str().unwrap() {
            "succeeded" => fine += 1,
            "limit_exceeded" => assert_eq!(over["error"]["code"], "budget_exceeded"),
            _ => panic!("{over:#}"),
        }
    }
    assert!((1..=50).contains(&fine), "{fine} runs were done");
    assert_eq!(used(&member).await["tokens"], fine * 30);
}

/// A run that is over; until then no more is taken out of the budget than it has.
async fn over(client: &Client, id: &str, most: i64) -> Value {
    let mut last = json!(null);
    let there = async || {
        let used = used(client).await["tokens"].as_i64().unwrap();
        assert!(used <= most, "{used} of {most}");
        last = run(client, id).await;
        last["finished_at"].is_string()
    };
    bz_testkit::wait_until(there, std::time::Duration::from_secs(40)).await;
    last
}

#[tokio::test]
async fn a_crews_budget_holds_for_its_own_runs_and_no_others() {
    let provider = model(vec![say("done")]).await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    let mut ids = Vec::new();
    for name in ["first", "second"] {
        let made = owner.post("/api/crews", crew(name)).await;
        ids.push(made.assert_status(201).json()["id"].clone());
    }
    let mut poor = budget("crew", "max_tokens", 20);
    poor["subject"] = ids[0].clone();
    let mut rich = budget("crew", "max_tokens", 100_000);
    rich["subject"] = ids[1].clone();
    set(&world.app, json!([poor, rich])).await;
    let start = async |name: &str| {
        let order = json!({ "crew": name, "inputs": { "topic": "tea" } });
        start_with(owner, order).await
    };
    let refused = until(owner, &start("first").await, "limit_exceeded").await;
    assert_eq!(refused["error"]["code"], "budget_exceeded");
    assert_eq!(refused["error"]["limit"], "budget");
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("crew"), "{message}");
    until(owner, &start("second").await, "succeeded").await;
    // An agent's run is no crew's.
    until(owner, &start_with(owner, writer()).await, "succeeded").await;
    let list = owner.get(BUDGETS).await.assert_status(200).json();
    let tokens = |crew: &Value| found(&list, "subject", crew)["used"]["tokens"].clone();
    assert_eq!(tokens(&ids[0]), 0);
    assert_eq!(tokens(&ids[1]), 60, "two tasks of 30 each");
    let usage = owner.get("/api/usage?group_by=crew").await;
    let usage = usage.assert_status(200).json();
    assert_eq!(found(&usage, "key", &ids[1])["calls"], 2);
}

#[tokio::test]
async fn a_crews_budget_of_runs_is_that_crews() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let owner = &app.acme.owner;
    let made = owner.post("/api/crews", crew("launch")).await;
    let mut one = budget("crew", "max_runs", 1);
    one["subject"] = made.assert_status(201).json()["id"].clone();
    set(&app, json!([one])).await;
    let order = || {
        let order = json!({ "crew": "launch", "inputs": { "topic": "tea" } });
        owner.post("/api/runs", order)
    };
    order().await.assert_status(202);
    order().await.assert_problem(402, "budget_exceeded");
    start_with(owner, writer()).await;
}
