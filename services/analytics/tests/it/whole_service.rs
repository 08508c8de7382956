//! Rules that hold for every table and every operation, found by walking the catalogue and the OpenAPI document.

use analytics::Analytics;
use bz_testkit::checks;

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
    checks::foreign_ids::<Analytics>(async |owner, path| match path {
        "/api/event-erasures/{id}" => {
            let ordered = owner.delete("/api/events?actor_id=ada").await;
            Some(vec![ordered.assert_status(202).json()["id"].as_str().unwrap().to_owned()])
        }
        other => panic!("make what {other} names"),
    })
    .await;
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
