//! Several providers: order, fallback, circuit breakers, Anthropic's API, models without tools.

use ai_orchestrator::AiOrchestrator;
use bz_testkit::TestApp;
use serde_json::{Value, json};

use crate::provider::{Act, Provider};

const CHAT: &str = "/v1/chat/completions";

fn chat() -> Value {
    json!({ "messages": [{ "role": "user", "content": "hello" }], "max_tokens": 16 })
}

fn says(text: &str) -> Act {
    let message = json!({ "role": "assistant", "content": text });
    let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
    Act::json(200, &json!({ "model": "m", "choices": [choice] }))
}

fn openai(name: &str, provider: &Provider) -> Value {
    let base = format!("http://{}", provider.address());
    json!({ "name": name, "kind": "openai", "base_url": base, "model": format!("model-of-{name}") })
}

async fn with(providers: Value) -> TestApp<AiOrchestrator> {
    let app = TestApp::builder().env("LLM_PROVIDERS", providers.to_string());
    app.env("LLM_TIMEOUT", "500ms").start().await
}

async fn answer(app: &TestApp<AiOrchestrator>, body: Value) -> Value {
    let answer = app.acme.viewer.post(CHAT, body).await.assert_status(200);
    answer.json()["choices"][0]["message"]["content"].clone()
}

#[tokio::test]
async fn the_next_provider_answers_when_one_fails_and_gets_its_own_model() {
    for act in [
        Act::answer(500, "", ""),
        Act::json(429, &json!({})),
        Act::Send(Vec::new()),
        Act::FallSilent(Vec::new()),
        Act::answer(200, "content-type: text/html\r\n", "<html>"),
    ] {
        let (first, second) = (
            Provider::that(act).await,
            Provider::that(says("second")).await,
        );
        let app = with(json!([openai("a", &first), openai("b", &second)])).await;
        assert_eq!(answer(&app, chat()).await, "second");
        assert_eq!(first.last().body["model"], "model-of-a");
        assert_eq!(second.last().body["model"], "model-of-b");
    }
}

#[tokio::test]
async fn a_request_that_is_at_fault_is_not_sent_to_another_provider() {
    for status in [400, 401, 403, 404, 422] {
        let first =
            Provider::that(Act::json(status, &json!({ "error": { "message": "no" } }))).await;
        let second = Provider::that(says("second")).await;
        let app = with(json!([openai("a", &first), openai("b", &second)])).await;
        let answer = app.acme.viewer.post(CHAT, chat()).await;
        assert!(
            answer.status == 422 || answer.status == 502,
            "{}",
            answer.describe()
        );
        assert!(second.saw_nothing());
    }
}

#[tokio::test]
async fn an_answer_without_the_tool_that_must_be_called_goes_to_the_next_and_is_told_when_there_is_none()
 {
    let first = Provider::that(says("I will not")).await;
    let app = with(json!([openai("a", &first)])).await;
    let mut body = chat();
    body["tools"] = json!([{ "type": "function", "function": { "name": "t", "parameters": { "type": "object" } } }]);
    body["tool_choice"] = json!("required");
    let ignored = app.acme.viewer.post(CHAT, &body).await;
    ignored.assert_problem(502, "tool_choice_ignored");

    // One whose model knows no tools is asked for an action within a schema instead.
    let action = json!({ "action": "t", "arguments": { "n": 1 } }).to_string();
    let second = Provider::that(says(&action)).await;
    let mut without_tools = openai("b", &second);
    without_tools["supports_tools"] = json!(false);
    let app = with(json!([openai("a", &first), without_tools])).await;
    let answer = app
        .acme
        .viewer
        .post(CHAT, &body)
        .await
        .assert_status(200)
        .json();
    let call = &answer["choices"][0]["message"]["tool_calls"][0]["function"];
    assert_eq!(
        (&call["name"], &call["arguments"]),
        (&json!("t"), &json!("{\"n\":1}"))
    );
    let sent = second.last().body;
    assert!(
        sent.get("tools").is_none() && sent["response_format"]["type"] == "json_schema",
        "{sent}"
    );
}

#[tokio::test]
async fn a_provider_that_fails_five_times_is_left_alone() {
    let first = Provider::that(Act::answer(500, "", "")).await;
    let second = Provider::that(says("second")).await;
    let app = with(json!([openai("a", &first), openai("b", &second)])).await;
    for _ in 0..8 {
        assert_eq!(answer(&app, chat()).await, "second");
    }
    assert_eq!(first.count(), 5);
    let named = json!({ "messages": [{ "role": "user", "content": "hello" }], "model": "a" });
    let alone = app.acme.viewer.post(CHAT, named).await;
    alone.assert_problem(503, "no_provider_available");
}

#[tokio::test]
async fn a_stream_goes_to_the_next_provider_until_its_first_part_has_come() {
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let first = Provider::that(Act::FallSilent(head.as_bytes().to_vec())).await;
    let event = json!({ "choices": [{ "index": 0, "delta": { "content": "hi" }, "finish_reason": "stop" }] });
    let body = format!("data: {event}\n\ndata: [DONE]\n\n");
    let second = Act::answer(200, "content-type: text/event-stream\r\n", &body);
    let second = Provider::that(second).await;
    let app = with(json!([openai("a", &first), openai("b", &second)])).await;
    let mut streamed = chat();
    streamed["stream"] = json!(true);
    let answer = app
        .acme
        .viewer
        .post(CHAT, streamed)
        .await
        .assert_status(200);
    assert_eq!(answer.text(), body);
}

#[tokio::test]
async fn what_cannot_fit_is_not_sent() {
    let provider = Provider::that(says("hello")).await;
    let mut small = openai("a", &provider);
    small["context"] = json!(500);
    let app = with(json!([small])).await;
    let long = json!({ "messages": [{ "role": "user", "content": "word ".repeat(1000) }], "max_tokens": 16 });
    app.acme
        .viewer
        .post(CHAT, long)
        .await
        .assert_problem(413, "context_too_large");
    assert!(provider.saw_nothing());
    assert_eq!(answer(&app, chat()).await, "hello");
}

#[tokio::test]
async fn anthropics_api_is_spoken() {
    let whole = json!({
        "id": "msg_1", "model": "claude", "stop_reason": "tool_use",
        "content": [
            { "type": "text", "text": "Let me see." },
            { "type": "tool_use", "id": "toolu_1", "name": "find", "input": { "name": "Ada" } },
        ],
        "usage": { "input_tokens": 12, "output_tokens": 7 },
    });
    let streamed = [
        json!({ "type": "message_start", "message": { "id": "msg_1", "model": "claude", "usage": { "input_tokens": 12 } } }),
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "tool_use", "id": "toolu_1", "name": "find" } }),
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "input_json_delta", "partial_json": "{\"name\":" } }),
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "input_json_delta", "partial_json": "\"Ada\"}" } }),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "message_delta", "delta": { "stop_reason": "tool_use" }, "usage": { "output_tokens": 7 } }),
        json!({ "type": "message_stop" }),
    ];
    let streamed: String = streamed
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .collect();
    let provider = Provider::start(move |seen| match seen.body["stream"].as_bool() {
        Some(true) => Act::answer(200, "content-type: text/event-stream\r\n", &streamed),
        _ => Act::json(200, &whole),
    })
    .await;
    let key = std::env::temp_dir().join(format!("bizosaas-key-{}", std::process::id()));
    std::fs::write(&key, "sk-ant\n").unwrap();
    let app = with(json!([{
        "name": "claude", "kind": "anthropic", "base_url": format!("http://{}", provider.address()), "model": "claude",
        "api_key_file": key,
    }]))
    .await;
    std::fs::remove_file(key).unwrap();
    let call = json!({ "id": "toolu_0", "type": "function", "function": { "name": "find", "arguments": "{\"name\":\"Bob\"}" } });
    let body = json!({
        "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": "Find Bob" },
            { "role": "assistant", "content": null, "tool_calls": [call] },
            { "role": "tool", "tool_call_id": "toolu_0", "content": "nobody" },
        ],
        "tools": [{ "type": "function", "function": { "name": "find", "description": "Find", "parameters": { "type": "object" } } }],
        "tool_choice": "required", "max_tokens": 50,
    });
    let answer = app
        .acme
        .viewer
        .post(CHAT, &body)
        .await
        .assert_status(200)
        .json();
    let message = &answer["choices"][0]["message"];
    assert_eq!(message["content"], "Let me see.");
    assert_eq!(message["tool_calls"][0]["id"], "toolu_1");
    assert_eq!(
        message["tool_calls"][0]["function"]["arguments"],
        "{\"name\":\"Ada\"}"
    );
    assert_eq!(answer["usage"]["total_tokens"], 19);

    let seen = provider.last();
    assert_eq!(seen.path, "/v1/messages");
    assert!(
        seen.head.contains("x-api-key: sk-ant")
            && seen.head.contains("anthropic-version: 2023-06-01")
    );
    let sent = seen.body;
    assert_eq!(
        (&sent["system"], &sent["max_tokens"]),
        (&json!("Be brief."), &json!(50))
    );
    assert_eq!(sent["tool_choice"], json!({ "type": "any" }));
    assert_eq!(
        sent["tools"][0]["input_schema"],
        json!({ "type": "object" })
    );
    assert_eq!(
        sent["messages"][1]["content"][0]["input"],
        json!({ "name": "Bob" })
    );
    assert_eq!(sent["messages"][2]["content"][0]["tool_use_id"], "toolu_0");

    let mut streamed = body;
    streamed["stream"] = json!(true);
    let events = app
        .acme
        .viewer
        .post(CHAT, streamed)
        .await
        .assert_status(200);
    let pieces = events.text().matches("\"arguments\":").count();
    assert!(
        pieces == 3 && events.text().ends_with("data: [DONE]\n\n"),
        "{}",
        events.text()
    );
    assert!(events.text().contains("\"total_tokens\":19"));
}
