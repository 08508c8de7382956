//! The models within the process, the real ones, live.

use std::{path::PathBuf, time::Duration};

use ai_orchestrator::AiOrchestrator;
use bz_testkit::{TestApp, TestAppBuilder, wait_until};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";
const MINILM: &str = "all-MiniLM-L6-v2";
const SMOLLM: &str = "smollm2-135m";

/// Where `scripts/fetch-models` put the models; tells and answers `None` where it has not.
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("TEST_MODELS").map(PathBuf::from);
    let folder = folder.filter(|folder| folder.join(SMOLLM).is_dir());
    if folder.is_none() {
        println!("skipped: no models in TEST_MODELS");
    }
    folder
}

fn builder(folder: &std::path::Path) -> TestAppBuilder<AiOrchestrator> {
    TestApp::builder()
        .env("MODEL_DIR", folder.to_str().unwrap())
        .env("LLM_TIMEOUT", "120s")
}

/// The service with both models loaded; `None` where they are not there.
pub(crate) async fn with_models() -> Option<TestApp<AiOrchestrator>> {
    let app = builder(&folder()?)
        .env(
            "MODEL_ADMIN_TENANT",
            bz_testkit::Tenant::Acme.id().to_string(),
        )
        .start()
        .await;
    wait_for(&app, "ready").await;
    Some(app)
}

/// The same service started again.
pub(crate) async fn restarted(before: &TestApp<AiOrchestrator>) -> TestApp<AiOrchestrator> {
    let app = builder(&folder().unwrap()).beside(before).start().await;
    wait_for(&app, "ready").await;
    app
}

async fn states(app: &TestApp<AiOrchestrator>) -> Vec<Value> {
    let list = app.acme.viewer.get("/api/models").await.assert_status(200);
    list.json()["items"].as_array().unwrap().clone()
}

async fn wait_for(app: &TestApp<AiOrchestrator>, state: &str) {
    let all = async || {
        states(app)
            .await
            .iter()
            .all(|model| model["state"] == state)
    };
    wait_until(all, Duration::from_secs(60)).await;
}

fn near(a: &Value, b: &Value) -> f64 {
    let (a, b) = (a.as_array().unwrap(), b.as_array().unwrap());
    let pairs = a.iter().zip(b);
    pairs
        .map(|(a, b)| a.as_f64().unwrap() * b.as_f64().unwrap())
        .sum()
}

#[tokio::test]
async fn texts_of_one_meaning_come_close_and_the_vectors_name_the_model() {
    let Some(app) = with_models().await else {
        return;
    };
    let texts = json!([
        "The invoice is overdue",
        "They have not paid their bill yet",
        "A photo of a cat"
    ]);
    for body in [
        json!({ "input": texts }),
        json!({ "input": texts, "model": MINILM }),
    ] {
        let made = app
            .acme
            .viewer
            .post("/api/embeddings", body)
            .await
            .assert_status(200)
            .json();
        assert_eq!(
            (&made["model"], &made["dimensions"]),
            (&json!(MINILM), &json!(384))
        );
        let vectors = &made["embeddings"];
        assert!((near(&vectors[0], &vectors[0]) - 1.0).abs() < 1e-5);
        let (same, other) = (
            near(&vectors[0], &vectors[1]),
            near(&vectors[0], &vectors[2]),
        );
        assert!(same > 0.4 && other < 0.2, "{same} and {other}");
    }
    // Whoever asks for the other kind gets it.
    let body = json!({ "input": ["x"], "model": "hashing-384" });
    let made = app
        .acme
        .viewer
        .post("/v1/embeddings", body)
        .await
        .assert_status(200)
        .json();
    assert_eq!(made["model"], "hashing-384");
}

#[tokio::test]
async fn the_model_within_answers_what_llama_cpp_answered_with_the_same_weights() {
    let Some(app) = with_models().await else {
        return;
    };
    let chat = json!({
        "messages": [{ "role": "user", "content": "Say hello in one sentence." }], "temperature": 0, "max_tokens": 24,
    });
    let answer = app
        .acme
        .viewer
        .post(CHAT, &chat)
        .await
        .assert_status(200)
        .json();
    let text = "I'm glad you're here. I'm here to help with any kind of creative writing project.";
    assert_eq!(answer["choices"][0]["message"]["content"], text);
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert_eq!(answer["usage"]["prompt_tokens"], 36);
    assert_eq!(answer["model"], SMOLLM);

    let mut streamed = chat;
    streamed["stream"] = json!(true);
    streamed["max_tokens"] = json!(6);
    let events = app
        .acme
        .viewer
        .post(CHAT, streamed)
        .await
        .assert_status(200);
    let events: Vec<Value> = events
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    let pieces = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str());
    let said: String = pieces.collect();
    assert!(text.starts_with(&said) && said.len() > 10, "{said}");
    assert!(
        events
            .iter()
            .any(|event| event["choices"][0]["finish_reason"] == "length")
    );
    assert!(
        events
            .iter()
            .any(|event| event["usage"]["completion_tokens"] == 6)
    );
}

#[tokio::test]
async fn answers_follow_a_schema_and_a_tool_that_must_be_called_is_called() {
    let Some(app) = with_models().await else {
        return;
    };
    let schema = json!({
        "type": "object",
        "properties": { "action": { "enum": ["create", "delete"] }, "title": { "type": "string", "maxLength": 40 } },
        "required": ["action", "title"],
        "additionalProperties": false,
    });
    let messages =
        json!([{ "role": "user", "content": "Extract the to-do: remind me to call Ivan" }]);
    let chat = json!({
        "messages": messages, "max_tokens": 64,
        "response_format": { "type": "json_schema", "json_schema": { "name": "todo", "schema": schema } },
    });
    let answer = app
        .acme
        .viewer
        .post(CHAT, chat)
        .await
        .assert_status(200)
        .json();
    let content = answer["choices"][0]["message"]["content"].as_str().unwrap();
    let made: Value = serde_json::from_str(content).unwrap();
    assert!(made["action"] == "create" || made["action"] == "delete");
    assert!(made["title"].as_str().unwrap().len() <= 40 && made.as_object().unwrap().len() == 2);

    let tool = json!({ "type": "function", "function": { "name": "create_todo", "description": "Create a to-do", "parameters": schema } });
    let chat = json!({ "messages": messages, "max_tokens": 96, "tools": [tool], "tool_choice": "required" });
    let answer = app
        .acme
        .viewer
        .post(CHAT, &chat)
        .await
        .assert_status(200)
        .json();
    let call = &answer["choices"][0]["message"]["tool_calls"][0]["function"];
    assert_eq!(call["name"], "create_todo", "{answer}");
    let arguments: Value = serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap();
    assert!(arguments["title"].is_string());

    let mut nonsense = chat;
    nonsense["tools"][0]["function"]["parameters"] = json!({ "type": "nonsense" });
    let refused = app.acme.viewer.post(CHAT, nonsense).await;
    refused.assert_problem(422, "provider_refused");
}

#[tokio::test]
async fn what_does_not_fit_into_the_model_is_told_before_it_works() {
    let Some(app) = with_models().await else {
        return;
    };
    let chat = json!({ "messages": [{ "role": "user", "content": "word ".repeat(4000) }], "max_tokens": 8 });
    app.acme
        .viewer
        .post(CHAT, chat)
        .await
        .assert_problem(413, "context_too_large");
}

#[tokio::test]
async fn vectors_do_not_wait_for_a_chat_and_a_chat_that_is_left_ends() {
    let Some(app) = with_models().await else {
        return;
    };
    let chat = json!({
        "messages": [{ "role": "user", "content": "Write a long story about a sea." }], "stream": true, "max_tokens": 1500,
    });
    let story = app.acme.viewer.post(CHAT, chat).stream().await;
    let body = json!({ "input": ["call Ada"], "model": MINILM });
    let vectors = app.acme.viewer.post("/api/embeddings", body);
    let vectors = tokio::time::timeout(Duration::from_secs(10), vectors)
        .await
        .unwrap();
    vectors.assert_status(200);
    drop(story);
    let chat = json!({ "messages": [{ "role": "user", "content": "hello" }], "max_tokens": 2 });
    let next = tokio::time::timeout(Duration::from_secs(20), app.acme.viewer.post(CHAT, chat));
    next.await.unwrap().assert_status(200);
}

#[tokio::test]
async fn administrators_of_one_tenant_unload_and_load_models_and_nobody_else() {
    let Some(app) = with_models().await else {
        return;
    };
    let unload = format!("/api/models/{MINILM}/unload");
    app.acme
        .viewer
        .post(&unload, json!({}))
        .await
        .assert_problem(403, "forbidden");
    app.globex
        .owner
        .post(&unload, json!({}))
        .await
        .assert_problem(403, "forbidden");
    app.acme
        .owner
        .post("/api/models/nothing/load", json!({}))
        .await
        .assert_problem(404, "not_found");

    let unloaded = app
        .acme
        .owner
        .post(&unload, json!({}))
        .await
        .assert_status(202)
        .json();
    assert_eq!(unloaded["state"], "unloaded");
    let body = json!({ "input": ["call Ada"] });
    let made = app
        .acme
        .viewer
        .post("/api/embeddings", &body)
        .await
        .assert_status(200)
        .json();
    assert_eq!(made["model"], "hashing-384");
    let named = json!({ "input": ["call Ada"], "model": MINILM });
    app.acme
        .viewer
        .post("/api/embeddings", named)
        .await
        .assert_problem(503, "model_not_loaded");

    let load = format!("/api/models/{MINILM}/load");
    let loading = app
        .acme
        .owner
        .post(&load, json!({}))
        .await
        .assert_status(202)
        .json();
    assert_eq!(loading["state"], "loading");
    wait_for(&app, "ready").await;
    app.acme
        .owner
        .post(&load, json!({}))
        .await
        .assert_status(202);
    let made = app
        .acme
        .viewer
        .post("/api/embeddings", body)
        .await
        .assert_status(200)
        .json();
    assert_eq!(made["model"], MINILM);
}

#[tokio::test]
async fn health_names_the_models_and_a_broken_one_degrades_and_does_not_end_the_service() {
    let broken = std::env::temp_dir().join(format!("bizosaas-broken-{}", std::process::id()));
    let model = broken.join(SMOLLM);
    std::fs::create_dir_all(&model).unwrap();
    std::fs::write(
        model.join("SmolLM2-135M-Instruct.Q4_1.gguf"),
        "GGUF, but not really",
    )
    .unwrap();
    let app = builder(&broken).start().await;
    let told = async || states(&app).await[1]["state"] == "failed";
    wait_until(told, Duration::from_secs(10)).await;
    let models = states(&app).await;
    assert_eq!(models[0]["state"], "absent");
    assert!(models[1]["problem"].as_str().unwrap().contains("SHA-256"));
    let seen = async || {
        let health = app.anonymous.get("/health").await.assert_status(200).json();
        health["dependencies"]["models"] == "disconnected"
            && health["models"][0]["state"] == "failed"
    };
    wait_until(seen, Duration::from_secs(5)).await;
    let chat = json!({ "messages": [{ "role": "user", "content": "hello" }] });
    app.acme
        .viewer
        .post(CHAT, chat)
        .await
        .assert_problem(503, "no_provider_available");
    std::fs::remove_dir_all(broken).unwrap();
}

#[tokio::test]
async fn the_service_is_ready_when_its_models_are_and_answers_everything_else_before() {
    let Some(folder) = folder() else { return };
    let app = builder(&folder).start().await;
    app.acme.viewer.get("/api/agents").await.assert_status(200);
    let begun = std::time::Instant::now();
    let ready = async || {
        let answer = app.anonymous.get("/health/ready").await;
        if answer.status == 200 {
            return true;
        }
        assert_eq!(answer.json()["reason"], "loading_models");
        false
    };
    wait_until(ready, Duration::from_secs(60)).await;
    // A machine on which they take longer goes on without them.
    if begun.elapsed() < Duration::from_secs(29) {
        let states = states(&app).await;
        assert!(
            states.iter().all(|model| model["state"] == "ready"),
            "{states:?}"
        );
    }
}

#[tokio::test]
async fn without_a_folder_no_model_is_there_and_health_misses_none() {
    let app = TestApp::<AiOrchestrator>::start().await;
    assert!(
        states(&app)
            .await
            .iter()
            .all(|model| model["state"] == "absent")
    );
    let health = app.anonymous.get("/health").await.assert_status(200).json();
    assert_eq!(health["dependencies"]["models"], "not configured");
}
