//! The gateway in front of providers that work: what they were recorded to answer arrives.

use ai_orchestrator::AiOrchestrator;
use bz_testkit::TestApp;
use serde_json::{Value, json};

use crate::{
    provider::{Act, Provider},
    transcript::Transcript,
};

const CHAT: &str = "/v1/chat/completions";

#[tokio::test]
async fn a_chat_goes_to_the_provider_and_its_answer_comes_back() {
    for name in [
        "llama-server-chat",
        "llama-server-json-schema",
        "llama-cpp-python-tool-forced",
    ] {
        let Some(recorded) = Transcript::read(name) else {
            return;
        };
        let provider = Provider::that(Act::Send(recorded.wire())).await;
        let app = provider.app().start().await;
        let answer = app.acme.viewer.post(CHAT, recorded.request()).await;
        let expected: Value = serde_json::from_str(&recorded.body).unwrap();
        assert_eq!(answer.assert_status(200).json(), expected, "{name}");
        let mut sent = recorded.request();
        if sent.get("model").is_none() {
            sent["model"] = json!("smollm2-135m");
        }
        assert_eq!(provider.last().body, sent, "{name}");
    }
}

#[tokio::test]
async fn a_recorded_text_where_a_tool_was_required_is_a_502() {
    let Some(recorded) = Transcript::read("llama-server-tools-ignored") else {
        return;
    };
    let provider = Provider::that(Act::Send(recorded.wire())).await;
    let app = provider.app().start().await;
    let answer = app.acme.viewer.post(CHAT, recorded.request()).await;
    answer.assert_problem(502, "tool_choice_ignored");
}

#[tokio::test]
async fn a_stream_passes_byte_for_byte() {
    for name in [
        "llama-server-chat-stream",
        "llama-cpp-python-chat-stream",
        "llama-cpp-python-tool-forced-stream",
    ] {
        let Some(recorded) = Transcript::read(name) else {
            return;
        };
        let provider = Provider::that(Act::Send(recorded.wire())).await;
        let app = provider.app().start().await;
        let answer = app.acme.viewer.post(CHAT, recorded.request()).await;
        let answer = answer.assert_status(200);
        assert_eq!(answer.header("content-type"), Some("text/event-stream"));
        assert_eq!(answer.text(), recorded.body, "{name}");
        assert_eq!(provider.last().body["stream"], true);
    }
}

#[tokio::test]
async fn the_providers_models_are_listed_beside_the_built_in_one() {
    let Some(recorded) = Transcript::read("llama-server-models") else {
        return;
    };
    let answer = Act::Send(recorded.wire());
    let provider = Provider::scripted(move |_| answer.clone()).await;
    let recorded: Value = serde_json::from_str(&recorded.body).unwrap();
    let app = provider.app().start().await;
    let list = app.acme.viewer.get("/v1/models").await.assert_status(200);
    let list = list.json();
    let ids = [&list["data"][0]["id"], &list["data"][1]["id"]];
    assert_eq!(ids, [&json!("hashing-384"), &recorded["data"][0]["id"]]);
}

#[tokio::test]
async fn without_a_provider_only_the_built_in_model_is_there_and_a_chat_says_why_not() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let list = app.acme.viewer.get("/v1/models").await.assert_status(200);
    assert_eq!(list.json()["data"].as_array().unwrap().len(), 1);
    let chat = json!({ "messages": [{ "role": "user", "content": "hello" }] });
    app.acme
        .viewer
        .post(CHAT, chat)
        .await
        .assert_problem(503, "no_provider_available");
}

#[tokio::test]
async fn the_provider_gets_its_own_key_and_never_the_users_token() {
    let provider = Provider::obliging().await;
    let app = provider.app().env("LLM_API_KEY", "sk-provider");
    let app = app.start().await;
    let chat = json!({ "messages": [{ "role": "user", "content": "hello" }] });
    app.acme.viewer.post(CHAT, chat).await.assert_status(200);
    let head = provider.last().head;
    let keys: Vec<&str> = head
        .lines()
        .filter(|line| line.starts_with("authorization"))
        .collect();
    assert_eq!(keys, ["authorization: bearer sk-provider"]);
}

#[tokio::test]
async fn a_chat_without_messages_or_roles_never_reaches_the_provider() {
    let provider = Provider::obliging().await;
    let app = provider.app().start().await;
    let nobody = json!({ "content": "hello" });
    for messages in [
        json!([]),
        json!([nobody]),
        json!(vec![json!({ "role": "user" }); 1001]),
    ] {
        app.acme
            .viewer
            .post(CHAT, json!({ "messages": messages }))
            .await
            .assert_problem(422, "validation_failed");
    }
    let chat = json!({ "messages": [{ "role": "user" }], "model": "named" });
    app.acme.viewer.post(CHAT, chat).await.assert_status(200);
    assert_eq!(provider.last().body["model"], "named");
}
