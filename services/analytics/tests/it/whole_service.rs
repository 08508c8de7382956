//! Rules that hold for every table and every operation, found by walking the catalogue and the OpenAPI document.

use std::sync::atomic::{AtomicU32, Ordering};

use analytics::Analytics;
use bz_testkit::{Client, checks};
use serde_json::{Value, json};

use crate::{
    alerts, report_schedules, reports,
    source_support::{loaded, source},
};

/// A name that nothing has yet.
fn fresh() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    format!("n{}", MADE.fetch_add(1, Ordering::Relaxed))
}

/// Makes what a path names, and answers the values of its parameters.
async fn make(owner: &Client, path: &str) -> Option<Vec<String>> {
    let hooks = "/api/analytics/webhooks";
    let hook = json!({ "url": "https://example.com/hook", "events": ["*"] });
    let upload = json!({ "name": fresh(), "kind": "upload", "dataset": "google-ads" });
    let made = match path {
        path if path.starts_with("/api/datasources/{id}") => source(owner, upload).await,
        path if path.starts_with("/api/analytics/imports/{id}") => {
            let source = source(owner, upload).await;
            let import = loaded(owner, &source, "date,clicks\n2026-03-01,1\n").await;
            import["run"]["id"].as_str()?.to_owned()
        }
        path if path.starts_with("/api/dashboards/{id}") => {
            let board = id(owner, "/api/dashboards", json!({ "name": "Sales" })).await;
            if path.contains("{share_id}") {
                let share = format!("/api/dashboards/{board}/share");
                let share = id(owner, &share, json!({ "name": "x" })).await;
                return Some(vec![board, share]);
            }
            board
        }
        path if path.starts_with("/api/reports/{id}") => {
            id(owner, "/api/reports", reports::wanted()).await
        }
        path if path.starts_with("/api/report-schedules/{id}") => {
            id(owner, "/api/report-schedules", report_schedules::wanted()).await
        }
        path if path.starts_with("/api/alerts/{id}") => {
            id(owner, "/api/alerts", alerts::wanted()).await
        }
        path if path.starts_with("/api/analytics/webhooks/{id}") => id(owner, hooks, hook).await,
        "/api/analytics/webhooks/deliveries/{id}/replay" => {
            let hook = id(owner, hooks, hook).await;
            id(owner, &format!("{hooks}/{hook}/test"), json!({})).await
        }
        "/api/event-erasures/{id}" => {
            let ordered = owner.delete("/api/events?actor_id=ada").await;
            ordered.assert_status(202).json()["id"].as_str()?.to_owned()
        }
        "/api/analytics/rollup-rebuilds/{id}" => {
            let ordered = owner
                .post("/api/analytics/rollup-rebuilds", json!({}))
                .await;
            ordered.assert_status(202).json()["id"].as_str()?.to_owned()
        }
        // Templates are everybody's, and a link is whose it is to whoever has it.
        _ => return None,
    };
    Some(vec![made])
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
