//! Rules that hold for every table and every operation, found by walking the catalogue and the OpenAPI document.

use std::sync::atomic::{AtomicU32, Ordering};

use analytics::Analytics;
use bz_testkit::{Client, checks};
use serde_json::json;

use crate::source_support::{loaded, source};

/// A name that nothing has yet.
fn fresh() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    format!("n{}", MADE.fetch_add(1, Ordering::Relaxed))
}

/// Makes what a path names, and answers its id.
async fn make(owner: &Client, path: &str) -> Option<Vec<String>> {
    let wanted = json!({ "name": fresh(), "kind": "upload", "dataset": "google-ads" });
    if path.starts_with("/api/datasources/{id}") {
        return Some(vec![source(owner, wanted).await]);
    }
    if path.starts_with("/api/imports/{id}") {
        let import = loaded(
            owner,
            &source(owner, wanted).await,
            "date,clicks\n2026-03-01,1\n",
        )
        .await;
        return Some(vec![import["run"]["id"].as_str()?.to_owned()]);
    }
    panic!("make what {path} names")
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
