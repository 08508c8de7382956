//! What every service must hold, checked by walking its catalog and its OpenAPI document.

use bz_testkit::{Tenant, checks};

use crate::support::IdentityUnderTest;

/// Pitfalls 20, 21, 26: no view with its owner's rights, no definer function that is not on the reviewed list with a fixed
/// search path, no right to truncate; the rules are the files of libs/tenant/src/catalog/rules.
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
    let tenant = async |_: &bz_testkit::Client, path: &str| {
        (path == "/api/tenants/{id}").then(|| vec![Tenant::Globex.id().to_string()])
    };
    checks::foreign_ids::<IdentityUnderTest>(tenant).await;
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
