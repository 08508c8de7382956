//! The gateway in front of providers that fail, each in one of the ways in which real ones do.

use std::time::{Duration, Instant};

use ai_orchestrator::AiOrchestrator;
use axum::body::Body;
use bz_kernel::ExposeSecret;
use bz_testkit::{FaultProxy, TestApp, proxy::Fault, wait_until};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::{
    provider::{Act, Provider},
    transcript::{Transcript, chunk},
};

const CHAT: &str = "/v1/chat/completions";
const HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
const EVENT: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"I\"}}]}\n\n";

fn chat() -> Value {
    json!({ "messages": [{ "role": "user", "content": "hello" }] })
}

fn streamed() -> Value {
    json!({ "messages": [{ "role": "user", "content": "hello" }], "stream": true })
}

/// The beginning of a stream.
fn one_event() -> Vec<u8> {
    format!("{HEAD}{}", chunk(EVENT)).into_bytes()
}

/// What a chat with such a provider ends with, whether streamed or not.
async fn assert_fault(act: Act, status: u16, code: &str) {
    let provider = Provider::that(act).await;
    let app = provider.app().start().await;
    for body in [chat(), streamed()] {
        let answer = app.acme.viewer.post(CHAT, body).await;
        answer.assert_problem(status, code);
    }
}

#[tokio::test]
async fn what_the_provider_refuses_is_told_in_its_own_words() {
    for (name, words) in [
        (
            "llama-server-error-context",
            "request (4031 tokens) exceeds the available context size (2048 tokens), try increasing it",
        ),
        (
            "llama-server-error-schema",
            "Unable to generate parser for this template. Automatic parser generation failed: JSON schema error at #: unrecognized type nonsense",
        ),
    ] {
        let Some(recorded) = Transcript::read(name) else {
            return;
        };
        let provider = Provider::that(Act::Send(recorded.wire())).await;
        let app = provider.app().start().await;
        let answer = app.acme.viewer.post(CHAT, recorded.request()).await;
        let problem = answer.assert_problem(422, "provider_refused").json();
        assert_eq!(problem["detail"], words);
    }
}

#[tokio::test]
async fn a_provider_that_loads_its_model_is_tried_again_later() {
    let Some(recorded) = Transcript::read("llama-server-health-loading") else {
        return;
    };
    let provider = Provider::that(Act::Send(recorded.wire())).await;
    let app = provider.app().start().await;
    let answer = app.acme.viewer.post(CHAT, chat()).await;
    let answer = answer.assert_problem(503, "no_provider_available");
    assert_eq!(answer.header("retry-after"), Some("5"));
}

#[tokio::test]
async fn a_providers_own_fault_is_a_502_without_its_words() {
    let Some(recorded) = Transcript::read("llama-cpp-python-error-badmodel") else {
        return;
    };
    let provider = Provider::that(Act::Send(recorded.wire())).await;
    let app = provider.app().start().await;
    let answer = app.acme.viewer.post(CHAT, chat()).await;
    let answer = answer.assert_problem(502, "provider_error");
    assert!(!answer.text().contains("validation error"));
}

#[tokio::test]
async fn each_status_of_a_provider_becomes_a_problem() {
    let busy = json!({ "error": { "message": "slow down" } });
    assert_fault(Act::json(429, &busy), 503, "provider_rate_limited").await;
    assert_fault(Act::json(401, &busy), 502, "provider_error").await;
    assert_fault(Act::json(500, &busy), 502, "provider_error").await;
    let elsewhere = Act::answer(307, "location: http://127.0.0.1:1/\r\n", "");
    assert_fault(elsewhere, 502, "provider_error").await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_a_502() {
    for act in [
        Act::answer(200, "content-type: text/html\r\n", "<html>"),
        Act::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"choices\":".to_vec()),
    ] {
        let provider = Provider::that(act).await;
        let app = provider.app().start().await;
        let answer = app.acme.viewer.post(CHAT, chat()).await;
        answer.assert_problem(502, "provider_error");
    }
}

#[tokio::test]
async fn a_connection_that_is_refused_or_dropped_is_a_503() {
    assert_fault(Act::Send(Vec::new()), 503, "no_provider_available").await;
    let provider = Provider::obliging().await;
    let proxy = FaultProxy::start(provider.address()).await;
    proxy.set(Fault::Refuse).await;
    let app = TestApp::<AiOrchestrator>::builder()
        .env("LLM_BASE_URL", format!("http://{}", proxy.address()))
        .start()
        .await;
    for body in [chat(), streamed()] {
        let answer = app.acme.viewer.post(CHAT, body).await;
        answer.assert_problem(503, "no_provider_available");
    }
}

#[tokio::test]
async fn a_provider_that_hangs_is_given_up_when_its_time_is_over() {
    let provider = Provider::that(Act::FallSilent(Vec::new())).await;
    let app = provider.app().env("LLM_TIMEOUT", "200ms").start().await;
    for body in [chat(), streamed()] {
        let begun = Instant::now();
        let answer = app.acme.viewer.post(CHAT, body).await;
        answer.assert_problem(504, "deadline_exceeded");
        assert!(begun.elapsed() < Duration::from_secs(3));
    }
    let closed = async || provider.open() == 0;
    wait_until(closed, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_chat_may_last_longer_than_other_requests_but_not_longer_than_the_client_waits() {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    let provider = Provider::that(Act::Later(Duration::from_millis(1000), answer.to_vec())).await;
    let app = provider.app().env("REQUEST_TIMEOUT", "400ms").start().await;
    for body in [chat(), streamed()] {
        let answer = app.acme.viewer.post(CHAT, body).await;
        assert!(answer.assert_status(200).text().starts_with("{}"));
    }
    let impatient = app.acme.viewer.post(CHAT, chat());
    let impatient = impatient.header("x-request-deadline-ms", "600");
    impatient.await.assert_problem(504, "deadline_exceeded");
}

#[tokio::test]
async fn an_answer_without_end_is_given_up_and_the_provider_is_told() {
    let head = HEAD.replace("event-stream", "plain").into_bytes();
    let provider =
        Provider::that(Act::Forever(head, chunk(&"x".repeat(65_536)).into_bytes())).await;
    let app = provider.app().start().await;
    let answer = app.acme.viewer.post(CHAT, chat()).await;
    answer.assert_problem(502, "provider_error");
    let closed = async || provider.open() == 0;
    wait_until(closed, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_stream_without_end_is_given_up_and_the_provider_is_told() {
    const MOST: usize = 64 * 1024 * 1024;
    let much = "x".repeat(65_536);
    let text = EVENT.replace("\"I\"", &format!("\"{much}\""));
    let name = EVENT.replace("\"content\":\"I\"", "\"tool_calls\":[{\"index\":99999999}]");
    for endless in [text, name.repeat(500), much] {
        let act = Act::Forever(HEAD.as_bytes().to_vec(), chunk(&endless).into_bytes());
        let provider = Provider::that(act).await;
        let app = provider.app().start().await;
        let answer = app.acme.viewer.post(CHAT, streamed()).stream().await;
        let mut pieces = answer.into_body().into_data_stream();
        let (mut size, mut last) = (0, Vec::new());
        while let Some(piece) = pieces.next().await {
            last = piece.unwrap().to_vec();
            size += last.len();
            assert!(size < MOST, "{size} bytes of {endless:.60}");
        }
        let last = String::from_utf8(last).unwrap();
        assert!(last.contains("provider_error"), "{last:.200}");
        let closed = async || provider.open() == 0;
        wait_until(closed, Duration::from_secs(1)).await;
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_with_an_event_that_says_so() {
    let half = format!("{HEAD}{}{}", chunk(EVENT), chunk("data: {\"cho")).into_bytes();
    for (act, code) in [
        (Act::Send(one_event()), "provider_error"),
        (Act::Send(half), "provider_error"),
        (Act::FallSilent(one_event()), "deadline_exceeded"),
    ] {
        let provider = Provider::that(act).await;
        let app = provider.app().env("LLM_TIMEOUT", "300ms").start().await;
        let answer = app.acme.viewer.post(CHAT, streamed()).await;
        let answer = answer.assert_status(200);
        assert!(answer.text().starts_with(EVENT));
        let last = answer.text().trim_end().rsplit("\n\n").next().unwrap();
        let last: Value = serde_json::from_str(last.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(last["error"]["code"], code);
    }
}

#[tokio::test]
async fn a_client_that_leaves_a_stream_stops_the_providers_work() {
    let provider = Provider::that(Act::FallSilent(one_event())).await;
    let app = provider.app().start().await;
    let answer = app.acme.viewer.post(CHAT, streamed()).stream().await;
    assert_leaving_closes(&provider, answer.into_body()).await;
}

#[tokio::test]
async fn a_client_that_cuts_its_connection_stops_the_providers_work() {
    let provider = Provider::that(Act::FallSilent(one_event())).await;
    let app = provider.app().start().await;
    let url = app.listen().await.join(CHAT).unwrap();
    let token = app.acme.viewer.token().unwrap().expose_secret();
    let client = reqwest::Client::builder().build().unwrap();
    let request = client.post(url).bearer_auth(token);
    let answer = request.json(&streamed()).send().await.unwrap();
    assert_leaving_closes(&provider, Body::from_stream(answer.bytes_stream())).await;
}

/// Reads the first event, and leaves.
async fn assert_leaving_closes(provider: &Provider, body: Body) {
    let mut events = body.into_data_stream();
    assert_eq!(events.next().await.unwrap().unwrap(), EVENT);
    assert_eq!(provider.open(), 1);
    drop(events);
    let closed = async || provider.open() == 0;
    wait_until(closed, Duration::from_secs(1)).await;
}
