//! Faults in which a run must neither hang nor end too early.

use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use bz_kernel::platform;
use bz_testkit::wait_until;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    crews::crew,
    ledger::Ledger,
    play::{World, call, model, run, say, start, start_with, steps, turn_of, until},
    provider::{Act, Provider},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// Lets a run that waits for its next try have it.
async fn tried_again(world: &World, id: &str) {
    let owner = &world.app.acme.owner;
    let before = until(owner, id, "waiting_retry").await["attempt"].clone();
    world.app.clock.advance(TimeDelta::minutes(30));
    wait_until(async || run(owner, id).await["attempt"] != before, PATIENCE).await;
    wait_until(
        async || run(owner, id).await["status"] != "running",
        PATIENCE,
    )
    .await;
}

#[tokio::test]
async fn failures_are_counted_anew_after_a_step_that_worked() {
    let (turns, asked) = (
        [call("crm.todos.list", json!({})), say("done")],
        AtomicUsize::new(0),
    );
    let provider = Provider::start(move |seen| match asked.fetch_add(1, SeqCst) {
        0..=3 | 5 => Act::json(500, &json!({ "error": { "message": "no" } })),
        _ => turns[turn_of(seen).min(1)].act(turn_of(seen)),
    })
    .await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    let id = start(owner).await;
    for _ in 0..4 {
        tried_again(&world, &id).await;
    }
    // The fifth failure comes after a question and a call that worked: it is the first in a row.
    assert_eq!(steps(owner, &id).await.len(), 2);
    tried_again(&world, &id).await;
    until(owner, &id, "succeeded").await;
}

#[tokio::test]
async fn numbers_that_are_counted_in_the_background_are_waited_for() {
    const REPORT: &str = "0195f3a0-0000-7000-8000-000000000001";
    let asked = AtomicUsize::new(0);
    let analytics = Provider::scripted(move |seen| match seen.path.as_str() {
        "/api/metrics/query" => Act::json(202, &json!({ "id": REPORT, "status": "queued" })),
        path => {
            assert_eq!(
                path.replace("%2d", "-"),
                format!("/api/reports/{REPORT}/download")
            );
            let problem =
                json!({ "type": "x", "title": "x", "status": 409, "code": "report_not_ready" });
            match asked.fetch_add(1, SeqCst) {
                0 => Act::answer(
                    409,
                    "content-type: application/problem+json\r\n",
                    &problem.to_string(),
                ),
                _ => Act::json(
                    200,
                    &json!({ "parts": [{ "answer": { "frame": { "rows": [42] } } }] }),
                ),
            }
        }
    })
    .await;
    let query = json!({ "metrics": ["events.count"], "range": { "preset": "last_30_days" } });
    let provider = model(vec![
        call("analytics.metrics.query", query),
        call("analytics.reports.numbers", json!({ "id": REPORT })),
        say("42"),
    ])
    .await;
    let crm = Ledger::start().await;
    let url = format!("http://{}", analytics.address()).parse().unwrap();
    let app = crm.of(provider.app()).sibling(&platform::ANALYTICS, &url);
    let mut world = World {
        app: app.start().await,
        crm,
    };
    world.app.start_jobs();
    let owner = &world.app.acme.owner;
    let counter = json!({
        "name": "counter", "title": "Counter", "role": "Counts", "goal": "A number.",
        "tools": ["analytics.metrics.query", "analytics.reports.numbers"],
    });
    owner.post("/api/agents", counter).await.assert_status(201);
    let id = start_with(owner, json!({ "agent": "counter" })).await;
    tried_again(&world, &id).await;
    until(owner, &id, "succeeded").await;
    let done = steps(owner, &id).await;
    assert!(
        done.iter().all(|step| step.ends_with("succeeded")),
        "{done:?}"
    );
}

#[tokio::test]
async fn a_model_that_says_a_zero_character_is_understood_without_it() {
    let provider = model(vec![
        call("crm.todos.create", json!({ "title": "call\u{0} Ada" })),
        call("no\u{0}such.tool", json!({})),
        say("do\u{0}ne"),
    ])
    .await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    let id = start(owner).await;
    let ended = until(owner, &id, "succeeded").await;
    assert_eq!(ended["output"]["text"], "done");
    assert_eq!(world.todos(), ["call Ada"]);
}

#[tokio::test]
async fn a_crew_called_like_a_ready_agent_says_nothing_of_that_agent_in_the_health() {
    let provider = Provider::that(Act::json(400, &json!({ "error": { "message": "no" } }))).await;
    let mut app = provider.app().start().await;
    app.start_jobs();
    let owner = &app.acme.owner;
    let mut named = crew("report-writer");
    named["tasks"][0]["agent"] = json!("social-writer");
    owner.post("/api/crews", named).await.assert_status(201);
    let id = start_with(owner, json!({ "crew": "report-writer" })).await;
    until(owner, &id, "failed").await;
    app.refresh_health().await;
    let health = app.anonymous.get("/health").await.assert_status(200).json();
    let agents = health["agents"].as_array().unwrap();
    let found: Vec<&Value> = agents
        .iter()
        .filter(|agent| agent["name"] == "report-writer")
        .collect();
    assert_eq!(found[0]["status"], "idle", "{found:?}");
}
