use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bz_kernel::ServiceInfo;
use bz_kernel::platform::{ANALYTICS, CHATBOT, CRM, IDENTITY};
use bz_testkit::wait_until;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Api, Installation, User};

/// The stop comes after so many answers.
const ANSWERS: usize = 100;

#[tokio::test]
async fn a_stop_under_load_fails_no_request_that_was_let_in() {
    let installation = Installation::migrated().await;
    let platform = installation.up().await;
    let user = User::register(&installation.anonymous(), "Ada").await;
    let mut load = JoinSet::new();
    let answers = Arc::new(AtomicUsize::new(0));
    for kept_alive in [true, false] {
        for request in [
            Request::get(&CRM, "/api/leads"),
            Request::post(&CRM, "/api/leads", json!({ "first_name": "Grace" }), 201),
            Request::get(&IDENTITY, "/auth/me"),
            Request::get(&ANALYTICS, "/api/dashboards/overview"),
            // These go on to the CRM, which must not be gone before.
            Request::chat("what's on my list?"),
            Request::chat("how many leads do I have?"),
            Request::chat("what is overdue?"),
            Request::chat("delete call Ada"),
        ] {
            let api = user.api.on_own_connections(kept_alive);
            load.spawn(repeat_until_refused(api, request, Arc::clone(&answers)));
        }
    }
    let enough = async || answers.load(Ordering::Relaxed) >= ANSWERS;
    wait_until(enough, Duration::from_secs(10)).await;
    platform.terminate();
    let ended = platform.ended().await;
    while let Some(answered) = load.join_next().await {
        answered.unwrap();
    }
    assert_eq!(ended.code(), Some(0));
}

struct Request {
    method: Method,
    service: &'static ServiceInfo,
    path: &'static str,
    body: Option<Value>,
    status: u16,
}

impl Request {
    const fn get(service: &'static ServiceInfo, path: &'static str) -> Self {
        Self {
            method: Method::GET,
            service,
            path,
            body: None,
            status: 200,
        }
    }

    fn chat(message: &str) -> Self {
        Self::post(&CHATBOT, "/api/chat", json!({ "message": message }), 200)
    }

    const fn post(
        service: &'static ServiceInfo,
        path: &'static str,
        body: Value,
        status: u16,
    ) -> Self {
        Self {
            method: Method::POST,
            service,
            path,
            body: Some(body),
            status,
        }
    }
}

/// Sends the request until a connection is refused. Anything else than a whole answer fails the test.
async fn repeat_until_refused(api: Api, request: Request, answers: Arc<AtomicUsize>) {
    let Request {
        method,
        service,
        path,
        body,
        status,
    } = request;
    loop {
        let mut sending = api.request(method.clone(), service, path);
        if let Some(body) = &body {
            sending = sending.json(body);
        }
        let response = match sending.send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() => return,
            Err(error) => panic!("{method} {path}: {error:?}"),
        };
        let got = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        assert_eq!(got, status, "{method} {path}: {body}");
        let missing = body.get("degraded").and_then(Value::as_array);
        assert!(missing.is_none_or(Vec::is_empty), "{method} {path}: {body}");
        answers.fetch_add(1, Ordering::Relaxed);
    }
}
