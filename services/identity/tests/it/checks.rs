//! What every service must hold, checked by walking its catalog and its OpenAPI document.

use bz_testkit::{Client, Tenant, checks};
use serde_json::json;

use crate::support::IdentityUnderTest;

/// Pitfalls 20, 21, 26: no view with its owner's rights, no definer function that is not on the reviewed list with a fixed
/// search path, no right to truncate; the rules are the files of libs/tenant/src/catalog/rules.
/// Makes what a path names, and answers its id.
async fn make(owner: &Client, path: &str) -> Option<Vec<String>> {
    if path == "/api/tenants/{id}" {
        return Some(vec![Tenant::Globex.id().to_string()]);
    }
    if !path.starts_with("/api/webhooks/") {
        return None;
    }
    let hook = json!({ "url": "https://hooks.example.com/", "events": ["*"] });
    let hook = owner.post("/api/webhooks", hook).await.json();
    let id = hook["id"].as_str()?.to_owned();
    if !path.contains("/replay") {
        return Some(vec![id]);
    }
    let test = format!("/api/webhooks/{id}/test");
    let delivery = owner.post(&test, json!({})).await.json();
    Some(vec![delivery["id"].as_str()?.to_owned()])
}

#[tokio::test]
async fn the_catalog_follows_the_rules_of_tenancy() {
    checks::catalog::<IdentityUnderTest>().await;
}

#[tokio::test]
async fn no_tenant_reads_or_changes_anothers_rows() {
    checks::isolation::<IdentityUnderTest>().await;
}

#[tokio::test]
async fn a_foreign_id_is_answered_like_one_that_does_not_exist() {
    checks::foreign_ids::<IdentityUnderTest>(make).await;
}

#[tokio::test]
async fn every_operation_asks_for_a_token_and_a_permission() {
    checks::access::<IdentityUnderTest>().await;
}

#[tokio::test]
async fn every_refusal_is_a_problem_document() {
    checks::problems::<IdentityUnderTest>().await;
}

#[test]
fn the_committed_openapi_document_is_the_current_one() {
    checks::openapi_is_committed::<IdentityUnderTest>();
}
