//! Memory: what an agent keeps of a user, for that user alone.

use std::{sync::Arc, time::Duration};

use ai_orchestrator::AiOrchestrator;
use bz_kernel::platform;
use bz_testkit::{Client, IdentityFeed, Role, Tenant, TestApp, wait_until};
use serde_json::{Value, json};

use crate::{
    knowledge::number,
    models::with_models,
    play::{World, call, model, say, start_with, steps, text_of, until},
};

const MEMORY: &str = "/api/memory";

async fn companion(client: &Client) {
    let tools = ["memory.remember", "memory.recall", "memory.forget"];
    let agent =
        json!({ "name": "companion", "title": "C", "role": "r", "goal": "g", "tools": tools });
    client.post("/api/agents", agent).await.assert_status(201);
}

async fn known(client: &Client) -> Vec<Value> {
    let page = client.get(MEMORY).await.assert_status(200).json();
    page["items"].as_array().unwrap().clone()
}

/// Facts as an agent would have left them.
async fn left(app: &TestApp<AiOrchestrator>, role: Role, agent: &str, facts: &[(&str, &str)]) {
    for (n, (key, text)) in facts.iter().enumerate() {
        let sql = "INSERT INTO ai.memories (tenant_id, id, user_id, agent, key, text, created_at, updated_at) \
            VALUES ($1, gen_random_uuid(), $2, $3, $4, $5, now() + $6 * interval '1 second', now())";
        sqlx::query(sql)
            .bind(Tenant::Acme.id().as_uuid())
            .bind(Tenant::Acme.user(role).as_uuid())
            .bind(agent)
            .bind(key)
            .bind(text)
            .bind(i32::try_from(n).unwrap())
            .execute(&mut app.database.admin().await)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn an_agent_remembers_recalls_and_forgets_for_its_user_alone() {
    let provider = model(vec![
        call(
            "memory.remember",
            json!({ "key": "language", "text": "prefers French" }),
        ),
        call(
            "memory.remember",
            json!({ "key": "colour", "text": "likes green" }),
        ),
        call(
            "memory.remember",
            json!({ "key": "colour", "text": "likes blue" }),
        ),
        call(
            "memory.recall",
            json!({ "query": "which language does the user prefer?" }),
        ),
        call("memory.forget", json!({ "key": "language" })),
        say("done"),
    ])
    .await;
    let world = World::with(&provider).await;
    let (owner, member) = (&world.app.acme.owner, &world.app.acme.member);
    companion(owner).await;
    let run = start_with(member, json!({ "agent": "companion" })).await;
    until(member, &run, "succeeded").await;
    let recalled = text_of(&provider.last());
    assert!(
        recalled.contains("prefers French") && recalled.contains("forgotten"),
        "{recalled}"
    );
    let facts = known(member).await;
    assert_eq!(facts.len(), 1);
    assert_eq!(
        (&facts[0]["agent"], &facts[0]["key"], &facts[0]["text"]),
        (&json!("companion"), &json!("colour"), &json!("likes blue"))
    );
    // Nobody else has it, whatever they may do.
    for other in [owner, &world.app.globex.member] {
        assert_eq!(known(other).await.len(), 0);
        let path = format!("{MEMORY}/{}", facts[0]["id"].as_str().unwrap());
        other.delete(&path).await.assert_problem(404, "not_found");
    }
}

#[tokio::test]
async fn users_see_what_is_remembered_of_them_and_delete_it() {
    let app = TestApp::<AiOrchestrator>::start().await;
    left(&app, Role::Member, "a", &[("x", "1"), ("y", "2")]).await;
    left(&app, Role::Member, "b", &[("x", "3")]).await;
    left(&app, Role::Owner, "a", &[("x", "4")]).await;
    let member = &app.acme.member;
    assert_eq!(known(member).await.len(), 3);
    let of_a = member
        .get(&format!("{MEMORY}?agent=a&limit=1"))
        .await
        .assert_status(200)
        .json();
    let next = of_a["next_cursor"].as_str().unwrap();
    let rest = member
        .get(&format!("{MEMORY}?agent=a&limit=1&cursor={next}"))
        .await
        .json();
    assert_eq!(
        (
            rest["items"].as_array().unwrap().len(),
            &rest["next_cursor"]
        ),
        (1, &json!(null))
    );
    let path = format!("{MEMORY}/{}", of_a["items"][0]["id"].as_str().unwrap());
    app.acme
        .viewer
        .delete(&path)
        .await
        .assert_problem(403, "forbidden");
    member.delete(&path).await.assert_status(204);
    member.delete(&path).await.assert_problem(404, "not_found");
    member
        .delete(&format!("{MEMORY}?agent=b"))
        .await
        .assert_status(204);
    assert_eq!(known(member).await.len(), 1);
    member.delete(MEMORY).await.assert_status(204);
    member.delete(MEMORY).await.assert_status(204);
    assert_eq!(
        (
            known(member).await.len(),
            known(&app.acme.owner).await.len()
        ),
        (0, 1)
    );
}

#[tokio::test]
async fn an_agent_that_remembers_too_much_is_told_to_forget_something() {
    let provider = model(vec![
        call("memory.remember", json!({ "key": "one-more", "text": "x" })),
        call("memory.remember", json!({ "key": "k7", "text": "changed" })),
        say("done"),
    ])
    .await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    companion(owner).await;
    let keys: Vec<String> = (0..200).map(|n| format!("k{n}")).collect();
    let facts: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "x")).collect();
    left(&world.app, Role::Owner, "companion", &facts).await;
    let run = start_with(owner, json!({ "agent": "companion" })).await;
    until(owner, &run, "succeeded").await;
    let steps = steps(owner, &run).await;
    assert_eq!(
        (steps[1].as_str(), steps[3].as_str()),
        ("task.call0.0 failed", "task.call1.0 succeeded")
    );
    assert!(text_of(&provider.last()).contains("Forget one first"));
    assert_eq!(
        number(&world.app, "SELECT count(*) FROM ai.memories").await,
        200
    );
}

#[tokio::test]
async fn with_a_model_facts_are_recalled_by_meaning_also_those_of_the_time_before() {
    let Some(models) = with_models().await else {
        return;
    };
    drop(models);
    let folder = crate::models::folder().unwrap();
    let provider = model(vec![
        call(
            "memory.recall",
            json!({ "query": "What food should we avoid?", "limit": 1 }),
        ),
        say("done"),
    ])
    .await;
    let mut app = provider
        .app()
        .env("MODEL_DIR", folder.to_str().unwrap())
        .start()
        .await;
    app.start_jobs();
    let owner = &app.acme.owner;
    companion(owner).await;
    left(
        &app,
        Role::Owner,
        "companion",
        &[("diet", "is allergic to peanuts"), ("car", "drives a van")],
    )
    .await;
    // Another agent's.
    left(
        &app,
        Role::Owner,
        "other",
        &[("diet", "avoid food of this kind: meat")],
    )
    .await;
    let run = start_with(owner, json!({ "agent": "companion" })).await;
    until(owner, &run, "succeeded").await;
    let told = text_of(&provider.last());
    assert!(
        told.contains("allergic to peanuts") && told.contains("hybrid") && !told.contains("meat"),
        "{told}"
    );
    let embedded =
        "SELECT count(*) FROM ai.memories WHERE model = 'all-MiniLM-L6-v2' AND agent = 'companion'";
    assert_eq!(number(&app, embedded).await, 2);
}

#[tokio::test]
async fn what_is_remembered_of_a_user_goes_with_the_user_and_the_rest_with_the_tenant() {
    let before = TestApp::<AiOrchestrator>::start().await;
    left(&before, Role::Member, "a", &[("x", "1")]).await;
    left(&before, Role::Owner, "a", &[("x", "2")]).await;
    crate::knowledge::add(&before.acme.owner, &crate::knowledge::handbook()).await;
    let theirs = crate::knowledge::add(&before.globex.owner, &crate::knowledge::handbook()).await;
    let feed = IdentityFeed::of(&before.database).await;
    let mut app = TestApp::<AiOrchestrator>::builder()
        .database(Arc::clone(&before.database))
        .sibling(&platform::IDENTITY, &feed.url)
        .start()
        .await;
    app.start_jobs();
    feed.tell_user_deleted(Tenant::Acme, Tenant::Acme.user(Role::Member))
        .await;
    let memories = "SELECT count(*) FROM ai.memories";
    wait_until(
        async || number(&app, memories).await == 1,
        Duration::from_secs(40),
    )
    .await;
    assert_eq!(known(&before.acme.owner).await.len(), 1);
    feed.tell_deleted(Tenant::Acme).await;
    let ours = "SELECT (SELECT count(*) FROM ai.memories) + (SELECT count(*) FROM ai.knowledge_chunks WHERE tenant_id = \
        (SELECT tenant_id FROM ai.knowledge_documents WHERE title = 'gone'))";
    let documents = "SELECT count(*) FROM ai.knowledge_documents";
    wait_until(
        async || number(&app, documents).await == 1 && number(&app, ours).await == 0,
        Duration::from_secs(40),
    )
    .await;
    before
        .globex
        .owner
        .get(&format!("/api/knowledge/documents/{theirs}"))
        .await
        .assert_status(200);
}
