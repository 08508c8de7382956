//! Rules that hold for every table and every operation, found by walking the catalogue and the OpenAPI document.

use std::sync::atomic::{AtomicU32, Ordering};

use ai_orchestrator::AiOrchestrator;
use bz_testkit::{Client, checks};
use serde_json::json;

use crate::{crews, mcp_peer, provider::Provider, schedules, tools};

/// Makes what a path names, and answers the values of its parameters.
async fn make(owner: &Client, path: &str) -> Option<Vec<String>> {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let name = format!("n{}", MADE.fetch_add(1, Ordering::Relaxed));
    let (collection, body) = if path.starts_with("/api/agents/{id}") {
        (
            "/api/agents",
            json!({ "name": name, "title": "x", "role": "x", "goal": "x" }),
        )
    } else if path.starts_with("/api/crews/{id}") {
        ("/api/crews", crews::crew(&name))
    } else if path.starts_with("/api/tools/{id}") {
        ("/api/tools", tools::tool(&name))
    } else if path.ends_with("/refresh") || path.contains("{tool}") {
        // They need a server that answers; their own tests look at these paths.
        return None;
    } else if path.starts_with("/api/mcp-servers/{id}") {
        (
            "/api/mcp-servers",
            mcp_peer::server(&name, "https://mcp.example.com/mcp"),
        )
    } else if path.starts_with("/api/schedules/{id}") {
        ("/api/schedules", schedules::wanted(owner))
    } else if path.starts_with("/api/knowledge/documents/{id}") {
        (
            "/api/knowledge/documents",
            json!({ "title": name, "text": "x" }),
        )
    } else if path.ends_with("/approvals/{approval}") {
        // A run has nothing to ask without a model; its own tests look at this path.
        return None;
    } else if path.starts_with("/api/runs/{id}") {
        ("/api/runs", json!({ "agent": "social-writer" }))
    } else {
        return None;
    };
    let made = owner.post(collection, body).await;
    assert!(made.status.is_success(), "{}", made.describe());
    let id = made.json()["id"].as_str()?.to_owned();
    if path.contains("{approval}") {
        return Some(vec![id, "0199e3a4-0000-7000-8000-000000000000".to_owned()]);
    }
    Some(vec![id])
}

#[tokio::test]
async fn the_schema_follows_the_rules_of_tenancy() {
    checks::catalog::<AiOrchestrator>().await;
}

#[tokio::test]
async fn no_table_shows_a_row_to_another_tenant() {
    checks::isolation::<AiOrchestrator>().await;
}

#[tokio::test]
async fn another_tenants_object_is_answered_like_one_that_does_not_exist() {
    checks::foreign_ids::<AiOrchestrator>(make).await;
}

#[tokio::test]
async fn every_operation_needs_a_token_and_its_permission() {
    checks::access::<AiOrchestrator>().await;
}

#[tokio::test]
async fn nonsense_is_answered_with_a_problem() {
    // With a provider that takes everything, since without one the gateway refuses sense and nonsense alike.
    let provider = Provider::obliging().await;
    checks::problems_in(&provider.app().start().await).await;
}

#[test]
fn the_openapi_document_is_committed() {
    checks::openapi_is_committed::<AiOrchestrator>();
}
