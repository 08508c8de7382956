//! Rules that hold for every table and every operation, found by walking the catalogue and the OpenAPI document.

use bz_testkit::{Client, checks};
use crm::Crm;
use serde_json::json;

/// Makes what a path names, and answers its id.
async fn make(owner: &Client, path: &str) -> Option<Vec<String>> {
    let created = match path {
        path if path.starts_with("/api/leads/{id}") => {
            owner.post("/api/leads", json!({ "first_name": "Grace" }))
        }
        path if path.starts_with("/api/contacts/{id}") => {
            owner.post("/api/contacts", json!({ "first_name": "Grace" }))
        }
        path if path.starts_with("/api/companies/{id}") => {
            owner.post("/api/companies", json!({ "name": "Engines" }))
        }
        path if path.starts_with("/api/scoring/trainings/{id}") => {
            let made = owner.post("/api/scoring/model/train", json!({}));
            let made = made.await.assert_status(202).json();
            return Some(vec![made["id"].as_str().unwrap().to_owned()]);
        }
        path if path.starts_with("/api/todos/{id}") => {
            owner.post("/api/todos", json!({ "title": "Call" }))
        }
        _ => return None,
    };
    let created = created.await.assert_status(201).json();
    Some(vec![created["id"].as_str().unwrap().to_owned()])
}

#[tokio::test]
async fn the_schema_follows_the_rules_of_tenancy() {
    checks::catalog::<Crm>().await;
}

#[tokio::test]
async fn no_table_shows_a_row_to_another_tenant() {
    checks::isolation::<Crm>().await;
}

#[tokio::test]
async fn another_tenants_object_is_answered_like_one_that_does_not_exist() {
    checks::foreign_ids::<Crm>(make).await;
}

#[tokio::test]
async fn every_operation_needs_a_token_and_its_permission() {
    checks::access::<Crm>().await;
}

#[tokio::test]
async fn nonsense_is_answered_with_a_problem() {
    checks::problems::<Crm>().await;
}

#[test]
fn the_openapi_document_is_committed() {
    checks::openapi_is_committed::<Crm>();
}
