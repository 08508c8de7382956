//! The catalogue of agents, and what `/health` says of them and of the provider.

use ai_orchestrator::AiOrchestrator;
use bz_testkit::{Client, FaultProxy, TestApp, proxy::Fault};
use serde_json::{Value, json};

use crate::provider::Provider;

/// The one state that all agents are in.
fn common_status(agents: &Value) -> String {
    let agents = agents.as_array().unwrap();
    assert!(agents.len() >= 5);
    let status = agents[0]["status"].as_str().unwrap();
    assert!(agents.iter().all(|agent| agent["status"] == status));
    status.to_owned()
}

async fn listed(client: &Client) -> Value {
    client.get("/api/agents").await.assert_status(200).json()
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
    let agent = app
        .acme
        .viewer
        .get("/api/agents/lead-qualifier")
        .await
        .assert_status(200)
        .json();
    assert_eq!(agent["title"], "Lead qualifier");
    assert_eq!(agent["tools"], json!(["crm.leads", "crm.scores"]));
    for nobody in ["nobody", "Lead-Qualifier", "%00"] {
        let answer = app.acme.viewer.get(&format!("/api/agents/{nobody}")).await;
        assert!(answer.status.is_client_error(), "{}", answer.describe());
    }
    app.acme
        .viewer
        .get("/api/agents/nobody")
        .await
        .assert_problem(404, "not_found");
}
