//! What every service must hold, checked by walking its catalog and its OpenAPI document.

use bz_testkit::{Tenant, checks};

use crate::support::IdentityUnderTest;

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
    let objects = async |globex: &bz_testkit::Client, path: &str| {
        if path == "/api/service-accounts/{id}/secrets/{secret_id}" {
            return Some(crate::service_accounts::with_secret(globex).await);
        }
        Some(vec![match path {
            "/api/tenants/{id}" => Tenant::Globex.id().to_string(),
            "/api/api-keys/{id}" | "/api/api-keys/{id}/rotate" => crate::api_keys::of(globex).await,
            "/api/service-accounts/{id}" | "/api/service-accounts/{id}/secrets" => {
                crate::service_accounts::of(globex).await
            }
            "/auth/sessions/{id}" => crate::sessions::of(globex).await,
            _ => return None,
        }])
    };
    checks::foreign_ids_in(&crate::support::start().await, objects).await;
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
