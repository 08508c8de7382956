//! The service as a process of its own that is killed: runs go on where they were, and nothing is done twice.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bz_testkit::{TestDb, wait_until};
use serde_json::json;
use tokio::process::Command;

use crate::{
    play::{call, say, text_of, turn_of},
    process::{Around, PATIENCE, Process},
    provider::{Act, Provider},
};

/// To-dos that a run makes.
const TODOS: usize = 3;

/// How the runs stand: all of them, and those that succeeded.
async fn succeeded(database: &TestDb) -> (i64, i64) {
    let sql = "SELECT count(*), count(*) FILTER (WHERE status = 'succeeded') FROM ai.runs";
    let mut admin = database.admin().await;
    sqlx::query_as(sql).fetch_one(&mut admin).await.unwrap()
}

async fn all_done(around: &Around) {
    let done = async || {
        let (all, done) = succeeded(around.database()).await;
        all == done
    };
    wait_until(done, PATIENCE).await;
}

/// How often each turn of each conversation was asked.
type Asked = Arc<Mutex<HashMap<(String, usize), usize>>>;

/// A model whose runs make three to-dos, named after the run. Turns of `held` are not answered while it says so.
async fn model(asked: Asked, held: Arc<Mutex<Option<usize>>>) -> Provider {
    Provider::start(move |seen| {
        let (turn, text) = (turn_of(seen), text_of(seen));
        let name = text
            .split("Task: ")
            .nth(1)
            .unwrap()
            .split("\\n")
            .next()
            .unwrap()
            .to_owned();
        *asked
            .lock()
            .unwrap()
            .entry((name.clone(), turn))
            .or_default() += 1;
        if *held.lock().unwrap() == Some(turn) {
            return Act::FallSilent(Vec::new());
        }
        match turn {
            TODOS => say("done").act(turn),
            _ => call(
                "crm.todos.create",
                json!({ "title": format!("{name}, to-do {turn}") }),
            )
            .act(turn),
        }
    })
    .await
}

fn wanted(runs: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut titles: Vec<String> = runs
        .into_iter()
        .flat_map(|run| (0..TODOS).map(move |n| format!("{run}, to-do {n}")))
        .collect();
    titles.sort();
    titles
}

#[tokio::test]
async fn killed_while_a_model_works_or_within_a_call_a_run_goes_on_and_does_nothing_twice() {
    let (asked, held): (Asked, Arc<Mutex<Option<usize>>>) = (Asked::default(), Arc::default());
    let around = Around::with(model(Arc::clone(&asked), Arc::clone(&held)).await).await;
    let times = |name: &str, turn: usize| {
        asked
            .lock()
            .unwrap()
            .get(&(name.to_owned(), turn))
            .copied()
            .unwrap_or(0)
    };
    // While the model works at each of its answers.
    for turn in 0..=TODOS {
        let name = format!("asked {turn}");
        *held.lock().unwrap() = Some(turn);
        let process = Process::start(&around).await;
        process.run(&name).await;
        wait_until(async || times(&name, turn) == 1, PATIENCE).await;
        process.kill().await;
        *held.lock().unwrap() = None;
        let again = Process::start(&around).await;
        all_done(&around).await;
        again.kill().await;
        for other in 0..=TODOS {
            let asked = times(&name, other);
            // A worker that stood still for longer than its lease asks once more; what is answered is never asked again.
            let fits = if other == turn {
                asked >= 2
            } else {
                asked == 1
            };
            assert!(fits, "killed at {turn}: turn {other} asked {asked} times");
        }
    }
    // Within each call: the CRM has done it, and nobody heard of it.
    for turn in 0..TODOS {
        let name = format!("called {turn}");
        *held.lock().unwrap() = Some(turn);
        let process = Process::start(&around).await;
        process.run(&name).await;
        wait_until(async || times(&name, turn) == 1, PATIENCE).await;
        process.kill().await;
        around.gate.close();
        *held.lock().unwrap() = None;
        let process = Process::start(&around).await;
        around.gate.holds().await;
        process.kill().await;
        around.gate.open();
        let again = Process::start(&around).await;
        all_done(&around).await;
        again.kill().await;
    }
    let asked = (0..=TODOS).map(|n| format!("asked {n}"));
    let called = (0..TODOS).map(|n| format!("called {n}"));
    assert_eq!(around.titles(), wanted(asked.chain(called)));
}

#[tokio::test]
async fn a_hundred_runs_through_many_kills_all_finish_and_nothing_is_there_twice() {
    const RUNS: usize = 100;
    let asked = Asked::default();
    let around = Around::with(model(Arc::clone(&asked), Arc::default()).await).await;
    let mut process = Process::start(&around).await;
    for n in 0..RUNS {
        process.run(&format!("run {n}")).await;
    }
    let (mut kills, mut slowest) = (0, Duration::ZERO);
    loop {
        let before = succeeded(around.database()).await.1;
        tokio::time::sleep(Duration::from_millis(400)).await;
        process.kill().await;
        kills += 1;
        process = Process::start(&around).await;
        // The killed one's runs are another one's within its lease.
        let begun = Instant::now();
        let on = async || {
            let (all, done) = succeeded(around.database()).await;
            done > before || done == all
        };
        wait_until(on, Duration::from_secs(45)).await;
        slowest = slowest.max(begun.elapsed());
        if kills >= 8 || succeeded(around.database()).await.1 == 100 {
            break;
        }
    }
    all_done(&around).await;
    assert_eq!(
        around.titles(),
        wanted((0..RUNS).map(|n| format!("run {n}")))
    );
    // A finished answer is never asked for again: no turn was asked more often than the process was started.
    let times: Vec<usize> = asked.lock().unwrap().values().copied().collect();
    let most = times.iter().max().copied().unwrap_or(0);
    assert!(most <= kills + 1, "{most} times with {kills} kills");
    let repeated: usize = times.iter().map(|times| times - 1).sum();
    println!(
        "{RUNS} runs, {kills} kills, slowest recovery {slowest:?}, {repeated} answers asked for again that were in flight"
    );
    process.kill().await;
}

#[tokio::test]
async fn asked_to_stop_the_service_gives_its_runs_back_at_once() {
    let held: Arc<Mutex<Option<usize>>> = Arc::new(Mutex::new(Some(1)));
    let around = Around::with(model(Asked::default(), Arc::clone(&held)).await).await;
    let mut process = Process::start(&around).await;
    process.run("stopped").await;
    wait_until(async || around.model.open() == 1, PATIENCE).await;
    let pid = process.child.id().unwrap().to_string();
    let begun = Instant::now();
    Command::new("kill")
        .args(["-TERM", &pid])
        .status()
        .await
        .unwrap();
    let status = tokio::time::timeout(Duration::from_secs(8), process.child.wait()).await;
    assert!(status.unwrap().unwrap().success());
    println!("stopped after {:?}", begun.elapsed());
    let mut admin = around.database().admin().await;
    let (status, leases): (String, i64) =
        sqlx::query_as("SELECT status, (SELECT count(*) FROM ai.run_leases) FROM ai.runs")
            .fetch_one(&mut admin)
            .await
            .unwrap();
    assert_eq!((status.as_str(), leases), ("queued", 0));
    *held.lock().unwrap() = None;
    let again = Process::start(&around).await;
    all_done(&around).await;
    again.kill().await;
    assert_eq!(around.titles(), wanted(["stopped".to_owned()]));
}
