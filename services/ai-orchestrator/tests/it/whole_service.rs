//! Rules that hold for every table and every operation, found by walking the catalogue and the OpenAPI document.

use ai_orchestrator::AiOrchestrator;
use bz_testkit::checks;

use crate::provider::Provider;

#[tokio::test]
async fn the_schema_follows_the_rules_of_tenancy() {
    checks::catalog::<AiOrchestrator>().await;
}

#[tokio::test]
async fn no_table_shows_a_row_to_another_tenant() {
    checks::isolation::<AiOrchestrator>().await;
}

#[tokio::test]
async fn another_tenants_object_is_answered_like_one_that_does_not_exist() {
    // Agents, the only things with a name in a path, belong to no tenant.
    checks::foreign_ids::<AiOrchestrator>(async |_, _| None).await;
}

#[tokio::test]
async fn every_operation_needs_a_token_and_its_permission() {
    checks::access::<AiOrchestrator>().await;
}

#[tokio::test]
async fn nonsense_is_answered_with_a_problem() {
    // With a provider that takes everything, since without one the gateway refuses sense and nonsense alike.
    let provider = Provider::obliging().await;
    checks::problems_in(&provider.app().start().await).await;
}

#[test]
fn the_openapi_document_is_committed() {
    checks::openapi_is_committed::<AiOrchestrator>();
}
