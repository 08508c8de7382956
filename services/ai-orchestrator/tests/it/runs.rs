//! Runs through the real routes: a scripted model over HTTP, the real CRM.

use std::time::Duration;

use ai_orchestrator::AiOrchestrator;
use bz_kernel::UserId;
use bz_testkit::{Tenant, TestApp, wait_until};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::play::{World, call, events, model, say, start, steps, until};

fn assistant() -> Value {
    json!({ "agent": "personal-assistant", "task": "see to my to-dos" })
}

#[tokio::test]
async fn a_run_calls_tools_with_the_users_token_and_ends_with_the_models_answer() {
    let script = vec![
        call("crm.todos.create", json!({ "title": "Call Ada" })),
        call("crm.todos.list", json!({ "limit": 5 })),
        say("Call Ada is on your list."),
    ];
    let provider = model(script).await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    let id = start(owner).await;
    let run = until(owner, &id, "succeeded").await;
    assert_eq!(run["output"]["text"], "Call Ada is on your list.");
    assert_eq!(run["usage"]["steps"], 5);
    assert_eq!(run["usage"]["tool_calls"], 2);
    assert_eq!(run["usage"]["prompt_tokens"], 60);
    assert_eq!(
        run["subject"],
        json!({ "kind": "agent", "name": "personal-assistant", "id": null, "version": 2 })
    );
    assert_eq!(world.todos(), ["Call Ada"]);
    assert_eq!(
        steps(owner, &id).await,
        [
            "task.llm0 succeeded",
            "task.call0.0 succeeded",
            "task.llm1 succeeded",
            "task.call1.0 succeeded",
            "task.llm2 succeeded",
        ]
    );
    let told = [
        "run.queued",
        "run.started",
        "task.started",
        "llm.started",
        "llm.completed",
        "tool.call",
        "tool.result",
        "llm.started",
        "llm.completed",
        "tool.call",
        "tool.result",
        "llm.started",
        "llm.completed",
        "task.completed",
        "run.completed",
    ];
    assert_eq!(events(owner, &id).await, told);
}

#[tokio::test]
async fn the_same_request_starts_one_run_and_another_body_under_its_key_is_refused() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let send = |body: Value| {
        app.acme
            .member
            .post("/api/runs", body)
            .header("idempotency-key", "k")
    };
    let first = send(assistant()).await.assert_status(202).json();
    let again = send(assistant()).await.assert_status(202);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.json()["id"], first["id"]);
    let other = json!({ "agent": "lead-qualifier" });
    send(other)
        .await
        .assert_problem(422, "idempotency_key_reused");
    let all = app
        .acme
        .member
        .get("/api/runs")
        .await
        .assert_status(200)
        .json();
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
    assert_eq!(all["items"][0]["status"], "queued");
}

#[tokio::test]
async fn what_cannot_be_run_is_told_with_its_place() {
    let app = TestApp::<AiOrchestrator>::start().await;
    for (body, pointer) in [
        (json!({}), "/agent"),
        (json!({ "agent": "a", "crew": "b" }), "/agent"),
        (json!({ "agent": "nobody" }), "/agent"),
        (json!({ "crew": "nobody" }), "/crew"),
        (json!({ "crew": "c", "task": "x" }), "/task"),
        (json!({ "agent": "day-planner", "task": "" }), "/task"),
        (
            json!({ "agent": "day-planner", "limits": { "max_steps": 0 } }),
            "/limits/max_steps",
        ),
        (
            json!({ "agent": "day-planner", "output_schema": { "type": "nonsense" } }),
            "/output_schema",
        ),
        (
            json!({ "agent": "day-planner", "inputs": { "x": "y".repeat(70_000) } }),
            "/inputs",
        ),
    ] {
        let answer = app.acme.owner.post("/api/runs", &body).await;
        let problem = answer.assert_problem(422, "validation_failed").json();
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
}

#[tokio::test]
async fn a_user_sees_their_own_runs_an_administrator_all_and_another_tenant_none() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let id = start(&app.acme.member).await;
    let path = format!("/api/runs/{id}");
    for sees in [&app.acme.member, &app.acme.owner, &app.acme.admin] {
        sees.get(&path).await.assert_status(200);
    }
    for blind in [&app.acme.viewer, &app.globex.owner] {
        blind.get(&path).await.assert_problem(404, "not_found");
        blind
            .get(&format!("{path}/steps"))
            .await
            .assert_problem(404, "not_found");
        blind
            .get(&format!("{path}/events"))
            .await
            .assert_problem(404, "not_found");
        blind
            .get(&format!("{path}/approvals"))
            .await
            .assert_problem(404, "not_found");
        let list = blind.get("/api/runs").await.assert_status(200).json();
        assert_eq!(list["items"], json!([]));
    }
    app.acme
        .viewer
        .post("/api/runs", assistant())
        .await
        .assert_problem(403, "forbidden");
    let cancel = format!("{path}/cancel");
    app.globex
        .owner
        .post(&cancel, json!({}))
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn lists_go_page_by_page_and_by_status() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let member = &app.acme.member;
    let mut ids = Vec::new();
    for _ in 0..3 {
        // Ids carry the time.
        app.clock.advance(TimeDelta::seconds(1));
        ids.push(start(member).await);
    }
    member
        .post(&format!("/api/runs/{}/cancel", ids[0]), json!({}))
        .await
        .assert_status(200);
    let first = member
        .get("/api/runs?limit=2")
        .await
        .assert_status(200)
        .json();
    assert_eq!(first["items"][0]["id"], ids[2].as_str());
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = member
        .get(&format!("/api/runs?limit=2&cursor={cursor}"))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&second["items"][0]["id"], &second["next_cursor"]),
        (&json!(ids[0]), &json!(null))
    );
    let over = member
        .get("/api/runs?status=cancelled")
        .await
        .assert_status(200)
        .json();
    assert_eq!(over["items"].as_array().unwrap().len(), 1);
    member
        .get("/api/runs?status=lost")
        .await
        .assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn without_a_provider_a_run_fails_and_goes_on_when_it_is_resumed_with_one() {
    let provider = model(vec![say("done")]).await;
    let mut without = TestApp::<AiOrchestrator>::start().await;
    without.start_jobs();
    let owner = &without.acme.owner;
    let id = start(owner).await;
    let failed = until(owner, &id, "failed").await;
    assert_eq!(failed["error"]["code"], "no_provider_available");
    without.stop_jobs().await;

    let mut with = provider.app().beside(&without).start().await;
    with.start_jobs();
    let owner = &with.acme.owner;
    let resume = format!("/api/runs/{id}/resume");
    with.acme
        .admin
        .post(&resume, json!({}))
        .await
        .assert_problem(409, "run_not_resumable");
    owner.post(&resume, json!({})).await.assert_status(200);
    assert_eq!(
        until(owner, &id, "succeeded").await["output"]["text"],
        "done"
    );
    owner
        .post(&resume, json!({}))
        .await
        .assert_problem(409, "run_not_resumable");
    with.globex
        .owner
        .post(&resume, json!({}))
        .await
        .assert_problem(404, "not_found");
    let bad = json!({ "limits": { "max_tokens": 0 } });
    owner
        .post(&resume, bad)
        .await
        .assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn the_feed_tells_of_each_run_that_is_over_however_it_ended() {
    let provider = model(vec![say("done")]).await;
    let mut world = World::still(&provider).await;
    let member = world.app.acme.member.clone();
    let ended = start(&member).await;
    let cancel = format!("/api/runs/{ended}/cancel");
    for _ in 0..2 {
        member.post(&cancel, json!({})).await.assert_status(200);
    }
    world.app.start_jobs();
    let done = start(&member).await;
    until(&member, &done, "succeeded").await;
    let token = world.app.tokens.service("analytics", "events:read");
    let service = world.app.anonymous.with_token(token);
    let mut told = json!([]);
    // An event shows once nothing that began before it is open, which includes the transactions of other tests.
    let shown = async || {
        let feed = service.get("/internal/events").await.assert_status(200);
        told = feed.json()["items"].clone();
        told.as_array().unwrap().len() == 2
    };
    wait_until(shown, Duration::from_secs(30)).await;
    let user = Tenant::Acme.user(bz_testkit::Role::Member);
    for (event, id, status) in [
        (&told[0], &ended, "cancelled"),
        (&told[1], &done, "succeeded"),
    ] {
        assert_eq!(event["kind"], "run.finished");
        let data = json!({ "run_id": id, "status": status, "crew_id": null, "created_by": user });
        assert_eq!(event["data"], data);
    }
    assert_eq!(
        (&told[0]["actor"], &told[1]["actor"]),
        (&json!(user), &json!(null))
    );
    member
        .get("/internal/events")
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn a_fork_begins_with_the_steps_of_another_run_and_does_not_do_them_again() {
    let script = vec![
        call("crm.todos.create", json!({ "title": "once" })),
        call("crm.todos.create", json!({ "title": "each time" })),
        say("done"),
    ];
    let provider = model(script).await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    let id = start(owner).await;
    until(owner, &id, "succeeded").await;
    let fork = format!("/api/runs/{id}/fork?step=2");
    let send = || owner.post(&fork, json!({})).header("idempotency-key", "f");
    let forked = send().await.assert_status(202).json();
    assert_eq!(send().await.assert_status(202).json()["id"], forked["id"]);
    let new = forked["id"].as_str().unwrap();
    let run = until(owner, new, "succeeded").await;
    assert_eq!(run["forked_from"], id.as_str());
    assert_eq!(run["usage"]["steps"], 5);
    assert_eq!(world.todos(), ["each time", "each time", "once"]);
    let bad = format!("/api/runs/{id}/fork?step=99");
    owner
        .post(&bad, json!({}))
        .await
        .assert_problem(422, "validation_failed");
    let foreign = world.app.globex.owner.post(&fork, json!({})).await;
    foreign.assert_problem(404, "not_found");
    world
        .app
        .acme
        .viewer
        .post(&fork, json!({}))
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn a_tool_that_the_user_may_not_use_is_refused_before_the_run_and_a_ready_agents_memory_left_out()
 {
    let provider = model(vec![say("done")]).await;
    let mut app = provider.app().start().await;
    app.start_jobs();
    let user = UserId::from_uuid(uuid::Uuid::from_u128(7));
    let mut claims = app.tokens.user_claims(Tenant::Acme, user, &[]);
    claims.entitlements = vec!["runs:write".to_owned()];
    let narrow = app.anonymous.with_token(app.tokens.sign(&claims));
    let answer = narrow.post("/api/runs", assistant()).await;
    let problem = answer.assert_problem(403, "forbidden_tool").json();
    assert!(problem["detail"].as_str().unwrap().contains("todos:"));
    let writer = json!({ "agent": "social-writer" });
    let run = narrow.post("/api/runs", writer).await;
    let run = run.assert_status(202).json();
    until(&app.acme.owner, run["id"].as_str().unwrap(), "succeeded").await;
    assert_eq!(provider.last().body.get("tools"), None);
}

#[tokio::test]
async fn a_run_whose_token_ends_waits_until_its_user_gives_it_a_new_one() {
    let provider = model(vec![
        call("crm.todos.create", json!({ "title": "x" })),
        say("done"),
    ])
    .await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    world.crm.refuse(true);
    let id = start(owner).await;
    let run = until(owner, &id, "waiting_approval").await;
    assert_eq!(run["error"]["code"], "authorization_expired");
    assert!(world.todos().is_empty());
    world.crm.refuse(false);
    let resume = format!("/api/runs/{id}/resume");
    let other = world.app.acme.admin.post(&resume, json!({})).await;
    other.assert_problem(409, "run_not_resumable");
    owner.post(&resume, json!({})).await.assert_status(200);
    until(owner, &id, "succeeded").await;
    assert_eq!(world.todos(), ["x"]);
}
