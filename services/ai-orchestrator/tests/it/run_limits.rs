//! Limits stop runs, whatever the model does.

use std::time::{Duration, Instant};

use bz_testkit::wait_until;
use serde_json::{Value, json};

use crate::{
    play::{Turn, World, call, events, model, run, say, start, start_with, steps, turn_of, until},
    provider::{Act, Provider},
};

fn limited(limits: &Value) -> Value {
    json!({ "agent": "personal-assistant", "task": "x", "limits": limits })
}

/// A model that calls a tool without end, each time with other arguments.
async fn restless() -> Provider {
    Provider::start(|seen| {
        let turn = turn_of(seen);
        call(
            "crm.todos.create",
            json!({ "title": format!("no. {turn}") }),
        )
        .act(turn)
    })
    .await
}

#[tokio::test]
async fn a_model_that_makes_the_same_call_again_and_again_is_stopped_after_three() {
    let provider = model(vec![call("crm.todos.list", json!({ "limit": 1 }))]).await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    let id = start(owner).await;
    let run = until(owner, &id, "limit_exceeded").await;
    assert_eq!(run["error"]["code"], "loop_detected");
    assert_eq!(run["error"]["limit"], "max_identical_calls");
    assert_eq!(run["usage"]["tool_calls"], 3);
    let told = events(owner, &id).await;
    assert_eq!(told[told.len() - 2..], ["loop.detected", "limit.exceeded"]);
}

#[tokio::test]
async fn each_limit_ends_a_run_with_what_it_did_so_far() {
    let provider = restless().await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    for (limits, limit, steps) in [
        (json!({ "max_steps": 4 }), "max_steps", 4),
        (json!({ "max_tool_calls": 1 }), "max_tool_calls", 3),
        (json!({ "max_tokens": 500 }), "max_tokens", 0),
    ] {
        let id = start_with(owner, limited(&limits)).await;
        let run = until(owner, &id, "limit_exceeded").await;
        assert_eq!(run["error"]["limit"], limit);
        assert_eq!(run["usage"]["steps"], steps, "{limit}");
        assert!(run["output"]["tasks"].is_array());
    }
}

#[tokio::test]
async fn a_limit_that_comes_near_is_told_and_a_raised_one_lets_the_run_go_on() {
    let mut script: Vec<Turn> = (0..4)
        .map(|n| call("crm.todos.create", json!({ "title": format!("no. {n}") })))
        .collect();
    script.push(say("done"));
    let provider = model(script).await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    let id = start_with(owner, limited(&json!({ "max_steps": 5 }))).await;
    until(owner, &id, "limit_exceeded").await;
    assert!(
        events(owner, &id)
            .await
            .contains(&"limit.warning".to_owned())
    );
    let more = json!({ "limits": { "max_steps": 20 } });
    owner
        .post(&format!("/api/runs/{id}/resume"), more)
        .await
        .assert_status(200);
    let run = until(owner, &id, "succeeded").await;
    assert_eq!(
        (&run["usage"]["steps"], &run["attempt"]),
        (&json!(9), &json!(2))
    );
    assert_eq!(world.todos().len(), 4);
}

#[tokio::test]
async fn a_provider_that_never_answers_ends_with_the_deadline_and_its_connection_is_closed() {
    let provider = Provider::that(Act::FallSilent(Vec::new())).await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    let id = start_with(owner, limited(&json!({ "deadline_seconds": 1 }))).await;
    let run = until(owner, &id, "limit_exceeded").await;
    let worked = run["usage"]["worked_ms"].as_u64().unwrap();
    assert!((1000..2000).contains(&worked), "{worked} ms");
    assert_eq!(run["error"]["code"], "deadline_exceeded");
    let closed = async || provider.open() == 0;
    wait_until(closed, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_run_that_is_ended_breaks_off_its_request_within_a_second() {
    let provider = Provider::that(Act::FallSilent(Vec::new())).await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    let id = start(owner).await;
    let asked = async || provider.open() == 1;
    wait_until(asked, Duration::from_secs(10)).await;
    let begun = Instant::now();
    let cancel = format!("/api/runs/{id}/cancel");
    let told = owner
        .post(&cancel, json!({}))
        .await
        .assert_status(200)
        .json();
    assert!(told["cancel_requested_at"].is_string());
    until(owner, &id, "cancelled").await;
    let closed = async || provider.open() == 0;
    wait_until(closed, Duration::from_secs(1)).await;
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    // Once more changes nothing.
    let again = owner
        .post(&cancel, json!({}))
        .await
        .assert_status(200)
        .json();
    assert_eq!(again["status"], "cancelled");
    assert_eq!(events(owner, &id).await.last().unwrap(), "run.cancelled");
}

#[tokio::test]
async fn a_run_that_waits_is_ended_at_once() {
    let provider = model(vec![say("done")]).await;
    let world = World::still(&provider).await;
    let owner = &world.app.acme.owner;
    let id = start(owner).await;
    let over = owner
        .post(&format!("/api/runs/{id}/cancel"), json!({}))
        .await;
    assert_eq!(over.assert_status(200).json()["status"], "cancelled");
    assert_eq!(events(owner, &id).await, ["run.queued", "run.cancelled"]);
    world
        .app
        .acme
        .viewer
        .post(&format!("/api/runs/{id}/cancel"), json!({}))
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn a_provider_that_fails_is_asked_again_later_and_given_up_in_the_end() {
    let failing = Provider::that(Act::json(500, &json!({ "error": { "message": "no" } }))).await;
    let world = World::with(&failing).await;
    let owner = &world.app.acme.owner;
    let id = start(owner).await;
    let waiting = until(owner, &id, "waiting_retry").await;
    assert_eq!(waiting["error"]["code"], "provider_error");
    for _ in 0..4 {
        until(owner, &id, "waiting_retry").await;
        let attempt = run(owner, &id).await["attempt"].clone();
        world.app.clock.advance(chrono::TimeDelta::minutes(30));
        let tried = async || run(owner, &id).await["attempt"] != attempt;
        wait_until(tried, Duration::from_secs(10)).await;
        let settled = async || run(owner, &id).await["status"] != "running";
        wait_until(settled, Duration::from_secs(10)).await;
    }
    let failed = until(owner, &id, "failed").await;
    assert_eq!(failed["attempt"], 5);
    assert_eq!(steps(owner, &id).await, Vec::<String>::new());
}
