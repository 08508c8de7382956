//! What every service must hold, checked by walking its catalog and its OpenAPI document.

use bz_testkit::{Tenant, checks};
use serde_json::json;

use crate::support::IdentityUnderTest;

#[tokio::test]
async fn the_catalog_follows_the_rules_of_tenancy() {
    checks::catalog::<IdentityUnderTest>().await;
}

#[tokio::test]
async fn no_tenant_reads_or_changes_anothers_rows() {
    checks::isolation::<IdentityUnderTest>().await;
}

/// Pitfall 31: every operation with an id in its path, walked in the OpenAPI document.
#[tokio::test]
async fn a_foreign_id_is_answered_like_one_that_does_not_exist() {
    let make = async |globex: &bz_testkit::Client, path: &str| match path {
        // Not the tenant itself: its own owner would delete it.
        "/api/tenants/{id}" => None,
        "/api/tenants/{id}/policy" => Some(vec![Tenant::Globex.id().to_string()]),
        _ if path.starts_with("/api/invitations/{id}") => {
            let request = json!({ "email": "new@example.com", "roles": ["member"] });
            let made = globex.post("/api/invitations", request).await;
            Some(vec![
                made.assert_status(201).json()["id"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            ])
        }
        _ => None,
    };
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
