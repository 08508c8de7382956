use bz_testkit::checks;
use chatbot::Chatbot;
use serde_json::json;

#[tokio::test]
async fn the_schema_follows_the_rules_of_tenancy() {
    checks::catalog::<Chatbot>().await;
}

#[tokio::test]
async fn every_table_keeps_tenants_apart() {
    checks::isolation::<Chatbot>().await;
}

#[tokio::test]
async fn every_operation_asks_for_a_token_and_a_permission() {
    checks::access::<Chatbot>().await;
}

#[tokio::test]
async fn another_tenants_conversation_looks_like_none() {
    checks::foreign_ids::<Chatbot>(async |client, _path| {
        let answer = client
            .post("/api/chat", json!({ "message": "hello" }))
            .await
            .assert_status(200)
            .json();
        Some(vec![answer["conversation_id"].as_str()?.to_owned()])
    })
    .await;
}

#[tokio::test]
async fn nonsense_is_answered_with_a_problem() {
    checks::problems::<Chatbot>().await;
}

#[test]
fn the_openapi_document_is_committed() {
    checks::openapi_is_committed::<Chatbot>();
}
