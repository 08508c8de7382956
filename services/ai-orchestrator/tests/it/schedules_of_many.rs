//! Schedules of many: those that wait are in nobody's way.

use std::time::Duration;

use ai_orchestrator::AiOrchestrator;
use bz_testkit::{Client, TestApp, wait_until};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::schedules::wanted;

const PATIENCE: Duration = Duration::from_secs(60);

async fn made(client: &Client, name: &str, cron: &str) -> Value {
    let mut body = wanted(client);
    for (field, value) in [("name", name), ("cron", cron), ("overlap", "queue")] {
        body[field] = json!(value);
    }
    let made = client.post("/api/schedules", body).await;
    made.assert_status(201).json()
}

async fn outcome(client: &Client, schedule: &Value) -> Value {
    let path = format!("/api/schedules/{}", schedule["id"].as_str().unwrap());
    client.get(&path).await.assert_status(200).json()["last_outcome"].clone()
}

#[tokio::test]
async fn schedules_that_wait_for_their_runs_do_not_keep_another_tenants_from_running() {
    // Nobody does the runs, so that each schedule waits for its first one for ever.
    let app = TestApp::<AiOrchestrator>::builder().env("RUN_WORKERS", "0");
    let mut app = app.start().await;
    let (acme, globex) = (app.acme.member.clone(), app.globex.member.clone());
    let mut waiting = Vec::new();
    for n in 0..60 {
        waiting.push(made(&acme, &format!("waiting {n}"), "*/10 * * * *").await);
    }
    let late = made(&globex, "late", "25 * * * *").await;
    app.clock.advance(TimeDelta::minutes(11));
    app.start_jobs();
    for schedule in &waiting {
        let started = async || outcome(&acme, schedule).await == "started";
        wait_until(started, PATIENCE).await;
    }
    app.clock.advance(TimeDelta::minutes(15));
    let started = async || outcome(&globex, &late).await == "started";
    wait_until(started, PATIENCE).await;
}
