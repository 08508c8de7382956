//! What a step costs besides the model and the tools. Numbers for people: `cargo nextest run --release --run-ignored all`.

use std::time::{Duration, Instant};

use bz_testkit::wait_until;
use serde_json::json;

use crate::{
    play::{World, call, say, start, turn_of, until},
    provider::Provider,
};

/// Calls of a run.
const CALLS: usize = 5;
/// Runs at once.
const RUNS: usize = 200;

async fn instant() -> Provider {
    Provider::start(|seen| {
        let turn = turn_of(seen);
        match turn {
            CALLS => say("done").act(turn),
            _ => call(
                "crm.todos.get",
                json!({ "id": format!("0199e3a4-0000-7000-8000-{turn:012}") }),
            )
            .act(turn),
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures; run it alone and in release"]
async fn a_step_costs_at_most_ten_milliseconds_and_two_hundred_runs_are_done_at_once() {
    let provider = instant().await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    let id = start(owner).await;
    until(owner, &id, "succeeded").await;

    let steps = 2 * CALLS + 1;
    let mut alone = Duration::ZERO;
    for _ in 0..20 {
        let id = start(owner).await;
        let run = until(owner, &id, "succeeded").await;
        alone += Duration::from_millis(run["usage"]["worked_ms"].as_u64().unwrap());
    }
    let a_step = alone / u32::try_from(20 * steps).unwrap();
    println!("alone: {a_step:?} a step, provider and CRM over HTTP included");
    assert!(a_step <= Duration::from_millis(10), "{a_step:?}");

    for _ in 0..RUNS {
        start(owner).await;
    }
    let begun = Instant::now();
    let sql = "SELECT count(*) FROM ai.runs WHERE status <> 'succeeded'";
    let mut admin = world.app.database.admin().await;
    let done = async || {
        let left: i64 = sqlx::query_scalar(sql).fetch_one(&mut admin).await.unwrap();
        left == 0
    };
    wait_until(done, Duration::from_secs(120)).await;
    let took = begun.elapsed();
    let each = took / u32::try_from(RUNS * steps).unwrap();
    println!("{RUNS} runs: {took:?}, {each:?} of the machine a step");
    assert!(each <= Duration::from_millis(10), "{each:?}");
}
