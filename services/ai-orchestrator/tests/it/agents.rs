//! Agents: the ready ones, those of a tenant, and what `/health` says of them and of the provider.

use ai_orchestrator::AiOrchestrator;
use bz_testkit::{Client, FaultProxy, TestApp, proxy::Fault};
use serde_json::{Value, json};

use crate::provider::Provider;

/// The one state that all agents are in.
fn common_status(agents: &Value) -> String {
    let agents = agents.as_array().unwrap();
    assert!(agents.len() >= 20);
    let status = agents[0]["status"].as_str().unwrap();
    assert!(agents.iter().all(|agent| agent["status"] == status));
    status.to_owned()
}

async fn listed(client: &Client) -> Value {
    client
        .get("/api/agents?limit=100")
        .await
        .assert_status(200)
        .json()
}

fn agent(name: &str) -> Value {
    json!({ "name": name, "title": "Mine", "role": "a clerk", "goal": "order", "tools": ["crm.todos.list"] })
}

fn without_name(mut agent: Value) -> Value {
    agent.as_object_mut().unwrap().remove("name");
    agent
}

#[tokio::test]
async fn without_a_provider_agents_say_that_they_need_one_and_the_service_is_well() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let page = listed(&app.acme.viewer).await;
    assert_eq!(common_status(&page["items"]), "needs_llm");
    assert_eq!(page["next_cursor"], Value::Null);
    let health = app.anonymous.get("/health").await.assert_status(200).json();
    assert_eq!(health["dependencies"]["llm"], "not configured");
    assert_eq!(common_status(&health["agents"]), "needs_llm");
    assert_eq!(health["workers"], json!({ "slots": 32, "busy": 0 }));
}

#[tokio::test]
async fn with_a_provider_agents_are_idle() {
    let provider = Provider::obliging().await;
    let app = provider.app().start().await;
    assert_eq!(
        common_status(&listed(&app.acme.viewer).await["items"]),
        "idle"
    );
    let health = app.anonymous.get("/health").await.assert_status(200).json();
    assert_eq!(health["dependencies"]["llm"], "connected");
    assert_eq!(common_status(&health["agents"]), "idle");
}

#[tokio::test]
async fn a_provider_that_is_gone_is_told_and_the_service_stays_ready() {
    let provider = Provider::obliging().await;
    let proxy = FaultProxy::start(provider.address()).await;
    proxy.set(Fault::Refuse).await;
    let url = format!("http://{}", proxy.address());
    let app = TestApp::<AiOrchestrator>::builder()
        .env("LLM_BASE_URL", url)
        .start()
        .await;
    let health = app.anonymous.get("/health").await.assert_status(200).json();
    assert_eq!(health["status"], "degraded");
    assert_eq!(health["dependencies"]["llm"], "disconnected");
    assert_eq!(common_status(&health["agents"]), "llm_unreachable");

    // The first answer shows that it is back, before anybody looks.
    proxy.set(Fault::Pass).await;
    app.acme.viewer.get("/v1/models").await.assert_status(200);
    assert_eq!(
        common_status(&listed(&app.acme.viewer).await["items"]),
        "idle"
    );
}

#[tokio::test]
async fn one_agent_is_found_by_its_name() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let found = app.acme.viewer.get("/api/agents/lead-qualifier").await;
    let found = found.assert_status(200).json();
    assert_eq!(
        (&found["title"], &found["ready"], &found["id"]),
        (&json!("Lead qualifier"), &json!(true), &json!(null))
    );
    for nobody in [
        "nobody",
        "Lead-Qualifier",
        "%00",
        "0199e3a4-0000-7000-8000-000000000000",
    ] {
        let answer = app.acme.viewer.get(&format!("/api/agents/{nobody}")).await;
        assert!(answer.status.is_client_error(), "{}", answer.describe());
    }
    app.acme
        .viewer
        .get("/api/agents/nobody")
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn an_agent_is_made_changed_with_its_versions_kept_and_deleted() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let member = &app.acme.member;
    let made = member
        .post("/api/agents", agent("mine"))
        .await
        .assert_status(201);
    assert_eq!(made.header("etag"), Some("\"1\""));
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/agents/{id}");
    let mut changed = without_name(agent("mine"));
    changed["goal"] = json!("more order");
    member
        .put(&path, &changed)
        .header("if-match", "\"9\"")
        .await
        .assert_problem(412, "precondition_failed");
    let put = member
        .put(&path, &changed)
        .header("if-match", "\"1\"")
        .await;
    assert_eq!(put.assert_status(200).json()["version"], 2);
    assert_eq!(
        member
            .get("/api/agents/mine")
            .await
            .assert_status(200)
            .json()["goal"],
        "more order"
    );
    let first = member
        .get(&format!("{path}/versions?limit=1"))
        .await
        .assert_status(200)
        .json();
    assert_eq!(first["items"][0]["goal"], "more order");
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = member
        .get(&format!("{path}/versions?limit=1&cursor={cursor}"))
        .await;
    assert_eq!(
        second.assert_status(200).json()["items"][0]["goal"],
        "order"
    );
    member
        .delete(&path)
        .header("if-match", "\"1\"")
        .await
        .assert_problem(412, "precondition_failed");
    member.delete(&path).await.assert_status(204);
    for gone in [
        path.clone(),
        format!("{path}/versions"),
        "/api/agents/mine".to_owned(),
    ] {
        member.get(&gone).await.assert_problem(404, "not_found");
    }
    member
        .put(&path, &changed)
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn an_agent_is_made_once_and_belongs_to_its_tenant() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let send = || {
        app.acme
            .member
            .post("/api/agents", agent("mine"))
            .header("idempotency-key", "k")
    };
    let first = send().await.assert_status(201).json();
    assert_eq!(send().await.assert_status(201).json()["id"], first["id"]);
    app.acme
        .member
        .post("/api/agents", agent("mine"))
        .await
        .assert_problem(409, "name_taken");
    app.acme
        .member
        .post("/api/agents", agent("day-planner"))
        .await
        .assert_problem(409, "name_taken");
    app.acme
        .viewer
        .post("/api/agents", agent("other"))
        .await
        .assert_problem(403, "forbidden");
    let path = format!("/api/agents/{}", first["id"].as_str().unwrap());
    for foreign in [&app.globex.owner, &app.globex.viewer] {
        foreign.get(&path).await.assert_problem(404, "not_found");
        foreign
            .get("/api/agents/mine")
            .await
            .assert_problem(404, "not_found");
        let list = listed(foreign).await;
        assert!(!list.to_string().contains("\"mine\""));
    }
    app.globex
        .owner
        .put(&path, without_name(agent("x")))
        .await
        .assert_problem(404, "not_found");
    app.globex
        .owner
        .delete(&path)
        .await
        .assert_problem(404, "not_found");
    app.acme
        .owner
        .delete("/api/agents/day-planner")
        .await
        .assert_problem(409, "agent_is_ready_made");
    let changed = app
        .acme
        .owner
        .put("/api/agents/day-planner", without_name(agent("x")))
        .await;
    changed.assert_problem(409, "agent_is_ready_made");
}

#[tokio::test]
async fn the_list_goes_page_by_page_from_the_ready_agents_to_the_tenants_own() {
    let app = TestApp::<AiOrchestrator>::start().await;
    for name in ["zebra", "apple"] {
        app.acme
            .owner
            .post("/api/agents", agent(name))
            .await
            .assert_status(201);
    }
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app
            .acme
            .viewer
            .get(&format!("/api/agents?limit=7{cursor}"))
            .await
            .assert_status(200)
            .json();
        let items = page["items"].as_array().unwrap();
        names.extend(
            items
                .iter()
                .map(|agent| agent["name"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(names[names.len() - 2..], ["apple", "zebra"]);
    let ready = &names[..names.len() - 2];
    assert!(ready.is_sorted() && ready.len() >= 24);
}

#[tokio::test]
async fn what_is_wrong_with_an_agent_is_told_with_its_place() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let with = |name: &str, value: Value| {
        let mut agent = agent("mine");
        agent[name] = value;
        agent
    };
    for (body, pointer) in [
        (with("name", json!("Not A Name")), "/name"),
        (with("title", json!("")), "/title"),
        (with("goal", json!("x".repeat(2001))), "/goal"),
        (with("tools", json!(["crm.nothing"])), "/tools/0"),
        (
            with("tools", json!(["crm.todos.list", "crm.todos.list"])),
            "/tools/1",
        ),
        (
            with("limits", json!({ "max_steps": 5000 })),
            "/limits/max_steps",
        ),
        (
            with(
                "guardrails",
                json!([{ "rule": "forbid", "on": "output", "phrases": [] }]),
            ),
            "/guardrails/0/phrases",
        ),
        (with("colour", json!("red")), "/colour"),
    ] {
        let answer = app.acme.owner.post("/api/agents", &body).await;
        let problem = answer.assert_problem(422, "validation_failed").json();
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
}
