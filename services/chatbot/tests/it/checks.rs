use bz_testkit::checks;
use chatbot::Chatbot;
use serde_json::{Value, json};

use crate::support::World;

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
async fn what_belongs_to_another_tenant_looks_like_nothing() {
    let world = World::start().await;
    let strange = &world.crm.globex.owner;
    checks::foreign_ids_in(&world.chat, async |client, path| {
        let todo = json!({ "title": format!("call {}", path.len()) });
        strange
            .post("/api/todos", todo.clone())
            .await
            .assert_status(201);
        let say = async |message: String, conversation: &Value| {
            let body = json!({ "message": message, "conversation_id": conversation });
            client
                .post("/api/chat", body)
                .await
                .assert_status(200)
                .json()
        };
        let added = say("add a todo: buy milk".to_owned(), &Value::Null).await;
        let id = match path {
            "/api/chat/actions/{id}/undo" => added["actions"][0]["id"].clone(),
            _ if path.starts_with("/api/chat/actions") => {
                let delete = format!("delete {}", todo["title"].as_str()?);
                let asked = say(delete, &added["conversation_id"]).await;
                asked["confirmation"]["action_id"].clone()
            }
            _ if path.starts_with("/api/messages") => added["message_id"].clone(),
            _ => added["conversation_id"].clone(),
        };
        Some(vec![id.as_str()?.to_owned()])
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
