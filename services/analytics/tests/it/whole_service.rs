//! Rules that hold for every table and every operation, found by walking the catalogue and the OpenAPI document.

use analytics::Analytics;
use bz_testkit::{Client, checks};
use serde_json::json;

use crate::{alerts, report_schedules, reports};

/// Makes what a path names, and answers its id.
async fn make(owner: &Client, path: &str) -> Option<Vec<String>> {
    let hook = json!({ "url": "https://example.com/hook", "events": ["*"] });
    let created = match path {
        path if path.starts_with("/api/reports/{id}") => {
            owner.post("/api/reports", reports::wanted())
        }
        path if path.starts_with("/api/report-schedules/{id}") => {
            owner.post("/api/report-schedules", report_schedules::wanted())
        }
        path if path.starts_with("/api/alerts/{id}") => owner.post("/api/alerts", alerts::wanted()),
        path if path.starts_with("/api/analytics/webhooks/{id}") => {
            owner.post("/api/analytics/webhooks", hook)
        }
        "/api/analytics/webhooks/deliveries/{id}/replay" => {
            let hook = owner.post("/api/analytics/webhooks", hook).await.json();
            let test = format!(
                "/api/analytics/webhooks/{}/test",
                hook["id"].as_str().unwrap()
            );
            owner.post(&test, json!({}))
        }
        "/api/event-erasures/{id}" => owner.delete("/api/events?actor_id=ada"),
        _ => return None,
    };
    let created = created.await;
    assert!(created.status.is_success(), "{}", created.describe());
    Some(vec![created.json()["id"].as_str().unwrap().to_owned()])
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
    checks::foreign_ids::<Analytics>(async |owner, path| make(owner, path).await).await;
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
