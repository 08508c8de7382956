//! Workers: several processes, leases, fairness, many runs at once, what is told to whom.

use std::time::Duration;

use ai_orchestrator::AiOrchestrator;
use bz_kernel::ExposeSecret;
use bz_testkit::{IdentityFeed, Tenant, TestApp, rows_of, wait_until};
use chrono::TimeDelta;
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::{
    ledger::Ledger,
    play::{
        World, call, events, model, run, say, start, start_with, steps, text_of, turn_of, until,
    },
    provider::{Act, Provider},
};

#[tokio::test]
async fn a_run_whose_worker_is_lost_is_another_workers_and_the_lost_one_writes_nothing_more() {
    // The first question of the first worker is never answered; it holds the run and falls silent.
    let silent = Provider::that(Act::FallSilent(Vec::new())).await;
    // It has one slot, so that it does not take the run from itself.
    let crm = Ledger::start().await;
    let mut app = crm.of(silent.app()).env("RUN_WORKERS", "1").start().await;
    app.start_jobs();
    let first = World { app, crm };
    let owner = first.app.acme.owner.clone();
    let id = start(&owner).await;
    wait_until(async || silent.open() == 1, Duration::from_secs(10)).await;
    let provider = model(vec![say("by the second")]).await;
    let mut second = provider.app().beside(&first.app).start().await;
    second.start_jobs();
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(
        run(&owner, &id).await["attempt"],
        1,
        "while the lease lasts nobody else takes it"
    );
    // The first one is not heard of for longer than its lease, however its next heartbeat falls.
    let taken = async || {
        first.app.clock.advance(TimeDelta::seconds(31));
        tokio::time::sleep(Duration::from_millis(700)).await;
        run(&owner, &id).await["attempt"] == 2
    };
    wait_until(taken, Duration::from_secs(20)).await;
    let over = until(&owner, &id, "succeeded").await;
    assert_eq!(
        (&over["attempt"], &over["output"]["text"]),
        (&json!(2), &json!("by the second"))
    );
    let told = events(&owner, &id).await;
    assert_eq!(told.iter().filter(|kind| *kind == "run.started").count(), 1);
    assert!(told.contains(&"run.resumed".to_owned()));
    // At its next heartbeat it hears that the run is another one's, and drops what it was at.
    wait_until(async || silent.open() == 0, Duration::from_secs(15)).await;
    assert_eq!(run(&owner, &id).await, over);
}

#[tokio::test]
async fn fifty_runs_at_once_all_finish_each_with_its_own() {
    let provider = Provider::start(|seen| {
        let (turn, text) = (turn_of(seen), text_of(seen));
        let name = text
            .split("Task: ")
            .nth(1)
            .unwrap()
            .split("\\n")
            .next()
            .unwrap()
            .to_owned();
        match turn {
            0 => call("crm.todos.create", json!({ "title": name })).act(turn),
            _ => say(&name).act(turn),
        }
    })
    .await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    let mut ids = Vec::new();
    for n in 0..50 {
        let body = json!({ "agent": "personal-assistant", "task": format!("run {n:02}") });
        ids.push(start_with(owner, body).await);
    }
    for (n, id) in ids.iter().enumerate() {
        assert_eq!(
            until(owner, id, "succeeded").await["output"]["text"],
            format!("run {n:02}")
        );
    }
    let wanted: Vec<String> = (0..50).map(|n| format!("run {n:02}")).collect();
    assert_eq!(world.todos(), wanted);
}

#[tokio::test]
async fn a_tenant_with_many_runs_does_not_keep_another_one_waiting() {
    let provider = model(vec![say("done")]).await;
    let mut app = provider.app().env("RUN_WORKERS", "1").start().await;
    let writer = json!({ "agent": "social-writer" });
    for _ in 0..10 {
        start_with(&app.acme.owner, writer.clone()).await;
    }
    let theirs = start_with(&app.globex.owner, writer).await;
    app.start_jobs();
    until(&app.globex.owner, &theirs, "succeeded").await;
    let mut admin = app.database.admin().await;
    let before: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM ai.runs WHERE started_at IS NOT NULL AND tenant_id = $1",
    )
    .bind(Tenant::Acme.id().as_uuid())
    .fetch_one(&mut admin)
    .await
    .unwrap();
    assert!(before < 10, "{before} of acme's runs came first");
}

#[tokio::test]
async fn two_tenants_with_the_same_names_share_nothing() {
    let provider = Provider::start(|seen| {
        let turn = turn_of(seen);
        let whose = if text_of(seen).contains("acme's") {
            "acme"
        } else {
            "globex"
        };
        match turn {
            0 => call(
                "crm.todos.create",
                json!({ "title": format!("of {whose}") }),
            )
            .act(turn),
            1 => call("crm.todos.list", json!({})).act(turn),
            _ => say(&format!("done for {whose}")).act(turn),
        }
    })
    .await;
    let world = World::with(&provider).await;
    let sides = [
        ("acme", "globex", &world.app.acme.owner),
        ("globex", "acme", &world.app.globex.owner),
    ];
    let agent = json!({ "name": "same", "title": "Same", "role": "r", "goal": "g", "tools": ["crm.todos.create", "crm.todos.list"] });
    let mut runs = Vec::new();
    for (name, _, owner) in sides {
        owner.post("/api/agents", &agent).await.assert_status(201);
        runs.push(
            start_with(
                owner,
                json!({ "agent": "same", "task": format!("{name}'s") }),
            )
            .await,
        );
    }
    for ((name, other, owner), id) in sides.into_iter().zip(&runs) {
        let over = until(owner, id, "succeeded").await;
        assert_eq!(over["output"]["text"], format!("done for {name}"));
        let all = owner
            .get(&format!("/api/runs/{id}/steps"))
            .await
            .assert_status(200);
        let stream = owner
            .get(&format!("/api/runs/{id}/events"))
            .await
            .assert_status(200);
        assert!(
            !all.text().contains(&format!("of {other}"))
                && !stream.text().contains(&format!("of {other}"))
        );
        let list = owner.get("/api/runs").await.assert_status(200).json();
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
    }
    assert_eq!(world.crm.of_user(&world.app.acme.owner), ["of acme"]);
    assert_eq!(world.crm.of_user(&world.app.globex.owner), ["of globex"]);
    let health = world.app.anonymous.get("/health").await;
    assert!(
        !health.text().contains("\"same\""),
        "names of tenants' agents are nobody else's business"
    );
}

#[tokio::test]
async fn a_stream_is_read_on_from_where_it_was_cut_and_ends_with_the_run() {
    let provider = model(vec![call("crm.todos.list", json!({})), say("done")]).await;
    let mut world = World::still(&provider).await;
    let owner = world.app.acme.owner.clone();
    let id = start(&owner).await;
    let path = format!("/api/runs/{id}/events");
    let live = owner.get(&path).stream().await;
    assert_eq!(live.headers()["content-type"], "text/event-stream");
    let mut live = live.into_body().into_data_stream();
    let first = String::from_utf8(live.next().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(
        first.contains("event: run.queued") && first.contains("id: 1"),
        "{first}"
    );
    world.app.start_jobs();
    let mut rest = String::new();
    while let Some(piece) = live.next().await {
        rest.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
    }
    assert!(rest.contains("event: run.completed"));
    let again = owner
        .get(&path)
        .header("last-event-id", "3")
        .await
        .assert_status(200);
    let ids: Vec<&str> = again
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .collect();
    assert_eq!(ids[0], "4");
    let data = again
        .text()
        .lines()
        .find_map(|line| line.strip_prefix("data: "))
        .unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!((&data["run_id"], &data["seq"]), (&json!(id), &json!(4)));
    assert!(data["time"].is_string());
    world
        .app
        .globex
        .owner
        .get(&path)
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn neither_tokens_nor_keys_are_stored_in_the_clear_or_kept_after_the_end() {
    let provider = model(vec![say("done")]).await;
    let mut app = provider.app().start().await;
    let id = start(&app.acme.owner).await;
    let mut admin = app.database.admin().await;
    let stored: Option<Vec<u8>> = sqlx::query_scalar("SELECT credential FROM ai.runs")
        .fetch_one(&mut admin)
        .await
        .unwrap();
    let token = app.acme.owner.token().unwrap().expose_secret().to_owned();
    let stored = stored.unwrap();
    assert!(
        !stored
            .windows(16)
            .any(|window| window == &token.as_bytes()[..16])
    );
    app.start_jobs();
    until(&app.acme.owner, &id, "succeeded").await;
    let kept: Option<Vec<u8>> = sqlx::query_scalar("SELECT credential FROM ai.runs")
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert_eq!(kept, None);
}

#[tokio::test]
async fn runs_that_are_over_go_after_their_time_with_all_that_hangs_on_them() {
    let provider = model(vec![call("crm.todos.list", json!({})), say("done")]).await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    let id = start(owner).await;
    until(owner, &id, "succeeded").await;
    let purge = async |days: i64| -> i64 {
        let before = world.app.core.sources.now() + TimeDelta::days(days);
        let mut tx = world.app.db().system().await.unwrap();
        let gone = sqlx::query_scalar("SELECT ai.purge_runs($1, 1000)").bind(before);
        let gone = gone.fetch_one(tx.conn()).await.unwrap();
        tx.commit().await.unwrap();
        gone
    };
    assert_eq!(purge(-1).await, 0);
    assert!(!steps(owner, &id).await.is_empty());
    assert_eq!(purge(1).await, 1);
    owner
        .get(&format!("/api/runs/{id}"))
        .await
        .assert_problem(404, "not_found");
    // What was used stays on the account.
    let left = rows_of(&world.app.database, "ai", Tenant::Acme).await;
    let gone = |(table, rows): &(String, i64)| *rows == 0 || table == "usage_daily";
    assert!(left.iter().all(gone), "{left:?}");
}

#[tokio::test]
async fn a_tenant_that_is_gone_leaves_nothing() {
    let first = TestApp::<AiOrchestrator>::start().await;
    let feed = IdentityFeed::of(&first.database).await;
    bz_testkit::checks::isolation::fill(&first.database, "ai", Tenant::Acme).await;
    bz_testkit::checks::isolation::fill(&first.database, "ai", Tenant::Globex).await;
    let mut app = TestApp::<AiOrchestrator>::builder()
        .beside(&first)
        .env("RUN_WORKERS", "0")
        .sibling(&bz_kernel::platform::IDENTITY, &feed.url)
        .start()
        .await;
    let filled = rows_of(&app.database, "ai", Tenant::Acme).await;
    assert!(filled.iter().all(|(_, rows)| *rows > 0), "{filled:?}");
    app.start_jobs();
    feed.tell_deleted(Tenant::Acme).await;
    let gone = async || {
        let left = rows_of(&app.database, "ai", Tenant::Acme).await;
        left.iter().all(|(_, rows)| *rows == 0)
    };
    wait_until(gone, Duration::from_secs(20)).await;
    let others = rows_of(&app.database, "ai", Tenant::Globex).await;
    assert!(others.iter().any(|(_, rows)| *rows > 0));
}
