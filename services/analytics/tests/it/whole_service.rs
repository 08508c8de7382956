//! Rules that hold for every table and every operation, found by walking the catalogue and the OpenAPI document.

use analytics::Analytics;
use bz_testkit::{Client, checks};
use serde_json::{Value, json};

/// Makes what a path names, and answers the values of its parameters.
async fn make(owner: &Client, path: &str) -> Option<Vec<String>> {
    if path.starts_with("/api/dashboards/{id}") {
        let id = id(owner, "/api/dashboards", json!({ "name": "Sales" })).await;
        if !path.contains("{share_id}") {
            return Some(vec![id]);
        }
        let share = format!("/api/dashboards/{id}/share");
        let share = self::id(owner, &share, json!({ "name": "x" })).await;
        return Some(vec![id, share]);
    }
    // Templates are everybody's, and a link is whose it is to whoever has it.
    None
}

async fn id(owner: &Client, path: &str, wanted: Value) -> String {
    let created = owner.post(path, wanted).await;
    assert!(created.status.is_success(), "{}", created.describe());
    created.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_schema_follows_the_rules_of_tenancy() {
    checks::catalog::<Analytics>().await;
}

#[tokio::test]
async fn no_table_shows_a_row_to_another_tenant() {
    checks::isolation::<Analytics>().await;
}

#[tokio::test]
async fn another_tenants_object_is_answered_like_one_that_does_not_exist() {
    checks::foreign_ids::<Analytics>(make).await;
}

#[tokio::test]
async fn every_operation_needs_a_token_and_its_permission() {
    checks::access::<Analytics>().await;
}

#[tokio::test]
async fn nonsense_is_answered_with_a_problem() {
    checks::problems::<Analytics>().await;
}

#[test]
fn the_openapi_document_is_committed() {
    checks::openapi_is_committed::<Analytics>();
}
