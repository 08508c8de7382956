//! How long a to-do command takes without a model. Run it alone and optimised:
//! `cargo nextest run --release -p chatbot --run-ignored only -E 'test(latency)' --no-capture`.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::World;

/// Commands measured, after some to warm up.
const MEASURED: usize = 200;
const WARM: usize = 20;

fn p95(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() * 95 / 100]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures; needs an optimised build and a quiet machine"]
async fn a_to_do_command_is_within_its_bars() {
    let world = World::start().await;
    let titles: Vec<String> = (0..100).map(|n| format!("report number {n}")).collect();
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    world.todos(&titles).await;
    let time = async |dry: bool, n: usize| {
        let message = format!("add a todo: call customer {n} tomorrow at 3pm");
        let body = json!({ "message": message, "dry_run": dry });
        let start = Instant::now();
        world
            .chat
            .acme
            .owner
            .post("/api/chat", body)
            .await
            .assert_status(200);
        start.elapsed()
    };
    let measure = async |dry: bool| {
        let mut times = Vec::new();
        for n in 0..WARM + MEASURED {
            let took = time(dry, n).await;
            if n >= WARM {
                times.push(took);
            }
        }
        p95(times)
    };
    let (alone, with_crm) = (measure(true).await, measure(false).await);
    println!("p95 of a to-do command: {alone:?} understood only, {with_crm:?} with the CRM call");
    assert!(alone <= Duration::from_millis(30), "{alone:?}");
    assert!(with_crm <= Duration::from_millis(60), "{with_crm:?}");
}
