//! Budgets that are never overspent, and what was used.

use ai_orchestrator::AiOrchestrator;
use bz_testkit::{Client, TestApp, TestAppBuilder, TestResponse};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::provider::{Act, Provider};

const CHAT: &str = "/v1/chat/completions";
const BUDGETS: &str = "/api/budgets";

/// A provider that always uses 10 and 20 tokens.
async fn thirty() -> Provider {
    let message = json!({ "role": "assistant", "content": "hello" });
    let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
    let usage = json!({ "prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30 });
    let answer = json!({ "model": "m", "choices": [choice], "usage": usage });
    Provider::that(Act::json(200, &answer)).await
}

/// Requests wait for each other on a slow machine, and none is refused for that.
pub(crate) fn patient(app: TestAppBuilder<AiOrchestrator>) -> TestAppBuilder<AiOrchestrator> {
    app.env("DB_ACQUIRE_TIMEOUT", "30s")
}

fn chat(max_tokens: u32) -> Value {
    json!({ "messages": [{ "role": "user", "content": "hello" }], "max_tokens": max_tokens })
}

async fn ask(client: &Client, max_tokens: u32) -> TestResponse {
    client.post(CHAT, chat(max_tokens)).await
}

async fn set(app: &TestApp<AiOrchestrator>, items: Value) -> TestResponse {
    app.acme.owner.put(BUDGETS, json!({ "items": items })).await
}

fn tokens(scope: &str, most: i64) -> Value {
    json!({ "scope": scope, "period": "month", "max_tokens": most, "hard": true })
}

async fn used(client: &Client) -> Value {
    let list = client.get(BUDGETS).await.assert_status(200).json();
    list["items"][0]["used"]["tokens"].clone()
}

#[tokio::test]
async fn a_call_is_settled_with_what_it_used_and_says_what_is_left() {
    let provider = thirty().await;
    let app = provider.app().start().await;
    set(&app, json!([tokens("tenant", 1000)]))
        .await
        .assert_status(200);
    let answer = ask(&app.acme.viewer, 100).await.assert_status(200);
    assert_eq!(answer.header("x-budget-remaining-tokens"), Some("970"));
    assert_eq!(used(&app.acme.viewer).await, 30);
    // Another tenant has neither the budget nor the use.
    let other = ask(&app.globex.viewer, 100).await.assert_status(200);
    assert_eq!(other.header("x-budget-remaining-tokens"), None);
    assert_eq!(
        app.globex.owner.get(BUDGETS).await.json()["items"],
        json!([])
    );
}

#[tokio::test]
async fn a_hard_budget_refuses_a_call_that_could_pass_it_and_a_soft_one_counts_it() {
    let provider = thirty().await;
    let app = provider.app().start().await;
    set(&app, json!([tokens("tenant", 100)]))
        .await
        .assert_status(200);
    ask(&app.acme.viewer, 200)
        .await
        .assert_problem(402, "budget_exceeded");
    assert_eq!(
        used(&app.acme.viewer).await,
        0,
        "nothing is taken by a call that is refused"
    );
    let streamed = json!({ "messages": [{ "role": "user", "content": "hello" }], "max_tokens": 200, "stream": true });
    let refused = app.acme.viewer.post(CHAT, streamed).await;
    refused.assert_problem(402, "budget_exceeded");

    let mut soft = tokens("tenant", 10);
    soft["hard"] = json!(false);
    set(&app, json!([soft])).await.assert_status(200);
    ask(&app.acme.viewer, 200).await.assert_status(200);
    assert_eq!(used(&app.acme.viewer).await, 30);
}

#[tokio::test]
async fn fifty_calls_side_by_side_never_overspend() {
    let provider = thirty().await;
    let app = patient(provider.app()).start().await;
    // Room for a few calls at a time: each reserves its request and 100 tokens of answer, and uses 30.
    set(&app, json!([tokens("tenant", 500)]))
        .await
        .assert_status(200);
    let calls = (0..50).map(|_| ask(&app.acme.member, 100));
    let answers = join_all(calls).await;
    let fine = answers.iter().filter(|answer| answer.status == 200).count();
    for answer in answers.into_iter().filter(|answer| answer.status != 200) {
        answer.assert_problem(402, "budget_exceeded");
    }
    let used = used(&app.acme.viewer).await.as_i64().unwrap();
    assert!(fine >= 3, "{fine} calls were answered");
    assert_eq!(used, fine as i64 * 30);
    assert!(used <= 500, "{used} of 500");
}

#[tokio::test]
async fn a_budget_for_each_user_holds_for_each_by_itself_and_a_failed_call_costs_nothing() {
    let provider = thirty().await;
    let app = provider.app().start().await;
    set(&app, json!([tokens("user", 170)]))
        .await
        .assert_status(200);
    ask(&app.acme.member, 100).await.assert_status(200);
    ask(&app.acme.member, 135)
        .await
        .assert_problem(402, "budget_exceeded");
    ask(&app.acme.viewer, 100).await.assert_status(200);
    assert_eq!(used(&app.acme.member).await, 30);

    let broken = Provider::that(Act::answer(500, "", "")).await;
    let app = broken.app().start().await;
    set(&app, json!([tokens("tenant", 1000)]))
        .await
        .assert_status(200);
    ask(&app.acme.viewer, 100)
        .await
        .assert_problem(502, "provider_error");
    assert_eq!(used(&app.acme.viewer).await, 0);
}

#[tokio::test]
async fn a_new_budget_counts_what_was_used_before_and_one_that_stays_keeps_it() {
    let provider = thirty().await;
    let app = provider.app().start().await;
    ask(&app.acme.viewer, 100).await.assert_status(200);
    set(&app, json!([tokens("tenant", 1000)]))
        .await
        .assert_status(200);
    ask(&app.acme.viewer, 100).await.assert_status(200);
    assert_eq!(used(&app.acme.viewer).await, 60);
    set(&app, json!([tokens("tenant", 2000)]))
        .await
        .assert_status(200);
    assert_eq!(used(&app.acme.viewer).await, 60);
    let none = set(&app, json!([])).await.assert_status(200).json();
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn money_is_limited_by_the_prices_of_the_provider() {
    let provider = thirty().await;
    let providers = json!([{
        "name": "priced", "kind": "openai", "base_url": format!("http://{}", provider.address()), "model": "m",
        "input_price": 3.0, "output_price": 15.0,
    }]);
    let app = TestApp::<AiOrchestrator>::builder().env("LLM_PROVIDERS", providers.to_string());
    let app = app.start().await;
    let budget =
        json!({ "scope": "tenant", "period": "day", "max_cost_micros": 2000, "hard": true });
    set(&app, json!([budget])).await.assert_status(200);
    ask(&app.acme.viewer, 100).await.assert_status(200);
    // 10 tokens at 3 and 20 at 15 millionths.
    let list = app.acme.viewer.get(BUDGETS).await.json();
    assert_eq!(list["items"][0]["used"]["cost_micros"], 330);
    ask(&app.acme.viewer, 130)
        .await
        .assert_problem(402, "budget_exceeded");
}

#[tokio::test]
async fn what_is_wrong_with_budgets_is_said_and_members_may_not_set_them() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let one = tokens("tenant", 1);
    for (items, pointer) in [
        (
            json!([{ "scope": "tenant", "period": "day", "hard": true }]),
            "/items/0",
        ),
        (
            json!([{ "scope": "crew", "period": "day", "max_runs": 1, "hard": true }]),
            "/items/0/subject",
        ),
        (json!([tokens("tenant", -1)]), "/items/0/max_tokens"),
        (json!([one, one]), "/items/1"),
    ] {
        let problem = set(&app, items)
            .await
            .assert_problem(422, "validation_failed")
            .json();
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    let refused = app.acme.member.put(BUDGETS, json!({ "items": [] })).await;
    refused.assert_problem(403, "forbidden");
}

#[tokio::test]
async fn use_is_summed_by_day_user_and_model_page_by_page_and_for_one_tenant() {
    let provider = thirty().await;
    let app = provider.app().start().await;
    for client in [
        &app.acme.viewer,
        &app.acme.member,
        &app.acme.member,
        &app.globex.owner,
    ] {
        ask(client, 100).await.assert_status(200);
    }
    let sums = async |query: &str| {
        let path = format!("/api/usage?{query}");
        app.acme.viewer.get(&path).await.assert_status(200).json()
    };
    let days = sums("").await;
    let expected = json!([{
        "key": "2026-03-02", "calls": 3, "prompt_tokens": 30, "completion_tokens": 60, "cost_micros": 0,
    }]);
    assert_eq!(days["items"], expected);
    let model = sums("group_by=model").await;
    assert_eq!(model["items"][0]["key"], "smollm2-135m");
    let first = sums("group_by=user&limit=1").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = sums(&format!("group_by=user&limit=1&cursor={cursor}")).await;
    let calls = [&first["items"][0]["calls"], &second["items"][0]["calls"]];
    let calls: i64 = calls.iter().map(|calls| calls.as_i64().unwrap()).sum();
    assert_eq!((calls, &second["next_cursor"]), (3, &Value::Null));
    assert_eq!(
        sums("from=2026-03-03&to=2026-03-04").await["items"],
        json!([])
    );
    let wrong = app
        .acme
        .viewer
        .get("/api/usage?from=2026-03-03&to=2026-03-02")
        .await;
    wrong.assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn a_stream_is_settled_when_it_ends_and_when_it_is_left() {
    let provider = thirty_streamed().await;
    let app = provider.app().start().await;
    set(&app, json!([tokens("tenant", 1000)]))
        .await
        .assert_status(200);
    let mut body = chat(100);
    body["stream"] = json!(true);
    let answer = app.acme.viewer.post(CHAT, body).await.assert_status(200);
    assert!(answer.header("x-budget-remaining-tokens").is_some());
    let settled = async || used(&app.acme.viewer).await == 30;
    bz_testkit::wait_until(settled, std::time::Duration::from_secs(5)).await;
}

async fn thirty_streamed() -> Provider {
    let event = |value: Value| format!("data: {value}\n\n");
    let text = json!({ "choices": [{ "index": 0, "delta": { "content": "hi" }, "finish_reason": "stop" }] });
    let usage = json!({ "choices": [], "usage": { "prompt_tokens": 10, "completion_tokens": 20 } });
    let body = format!("{}{}data: [DONE]\n\n", event(text), event(usage));
    Provider::that(Act::answer(
        200,
        "content-type: text/event-stream\r\n",
        &body,
    ))
    .await
}

#[tokio::test]
async fn vectors_of_a_provider_are_charged_before_and_settled_after_and_counted_by_their_model() {
    let provider = Provider::start(|seen| {
        let count = seen.body["input"].as_array().map_or(0, Vec::len);
        let vectors = (0..count).map(|n| json!({ "index": n, "embedding": [1.0] }));
        let vectors: Vec<Value> = vectors.collect();
        let usage = json!({ "prompt_tokens": 7, "total_tokens": 7 });
        Act::json(200, &json!({ "data": vectors, "usage": usage }))
    })
    .await;
    let app = provider.app().start().await;
    set(&app, json!([tokens("tenant", 100)]))
        .await
        .assert_status(200);
    let ask = async |path: &str, text: String| {
        let body = json!({ "input": [text], "model": "nomic-embed-text" });
        app.acme.viewer.post(path, body).await
    };
    for path in ["/api/embeddings", "/v1/embeddings"] {
        ask(path, "call Ada".to_owned()).await.assert_status(200);
        let sent = provider.count();
        ask(path, "x".repeat(1000))
            .await
            .assert_problem(402, "budget_exceeded");
        assert_eq!(provider.count(), sent, "nothing is sent then");
    }
    assert_eq!(used(&app.acme.viewer).await, 14);
    let usage = app.acme.viewer.get("/api/usage?group_by=model").await;
    let usage = usage.assert_status(200).json();
    let expected = json!([{
        "key": "nomic-embed-text", "calls": 2, "prompt_tokens": 14, "completion_tokens": 0, "cost_micros": 0,
    }]);
    assert_eq!(usage["items"], expected);
    // What is made here costs nothing.
    let own = json!({ "input": ["x".repeat(1000)], "model": "hashing-384" });
    let made = app.acme.viewer.post("/api/embeddings", own).await;
    made.assert_status(200);
    assert_eq!(used(&app.acme.viewer).await, 14);
}

#[tokio::test]
async fn fifty_requests_for_vectors_side_by_side_never_overspend_and_failed_ones_cost_nothing() {
    let broken = Provider::that(Act::answer(500, "", "")).await;
    let app = patient(broken.app()).start().await;
    set(&app, json!([tokens("tenant", 1000)]))
        .await
        .assert_status(200);
    let body = json!({ "input": ["x".repeat(900)], "model": "nomic-embed-text" });
    let calls = (0..50).map(async |_| app.acme.member.post("/api/embeddings", &body).await);
    for answer in join_all(calls).await {
        let expected = answer.status == 402 || answer.status == 502;
        assert!(expected, "{}", answer.status);
    }
    assert_eq!(used(&app.acme.viewer).await, 0);
}

#[tokio::test]
async fn a_stream_that_no_provider_began_uses_nothing() {
    let provider = Provider::that(Act::json(500, &json!({ "error": { "message": "no" } }))).await;
    let app = provider.app().start().await;
    set(&app, json!([tokens("tenant", 1000)]))
        .await
        .assert_status(200);
    for stream in [false, true] {
        let mut body = chat(100);
        body["stream"] = json!(stream);
        let answer = app.acme.viewer.post(CHAT, body).await;
        answer.assert_problem(502, "provider_error");
        assert_eq!(used(&app.acme.viewer).await, 0, "{stream}");
    }
}

#[tokio::test]
async fn two_administrators_who_set_the_same_budgets_in_another_order_do_not_stop_each_other() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let mut items: Vec<Value> = (0..40_u128)
        .map(|n| {
            let mut item = tokens("user", 1000);
            item["subject"] = json!(uuid::Uuid::from_u128(n));
            item
        })
        .collect();
    set(&app, json!(items)).await.assert_status(200);
    let forth = json!(items);
    items.reverse();
    let back = json!(items);
    for _ in 0..10 {
        let (one, other) = tokio::join!(set(&app, forth.clone()), set(&app, back.clone()));
        one.assert_status(200);
        other.assert_status(200);
    }
}
