//! Routes inside the stack, and requests to them.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use bz_http::TrustedProxies;
use bz_http::layers::{LayerConfig, Stack, stack};
use bz_kernel::Sources;
use http::request::Builder;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

/// The body limit of the tests.
pub(crate) const BODY_LIMIT: usize = 4096;

/// The configuration of the tests: patient, and closed to browsers.
pub(crate) fn config() -> LayerConfig {
    LayerConfig {
        service: "test",
        request_timeout: Duration::from_secs(30),
        body_limit: BODY_LIMIT,
        cors_allowed_origins: Vec::new(),
        trusted_proxies: TrustedProxies::default(),
    }
}

/// Routes inside the stack.
pub(crate) fn stacked(router: Router) -> Stack {
    stack(router, config(), Sources::system())
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The document of a problem with this status and code.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        let document = self.json();
        assert_eq!(document["code"], code);
        assert_eq!(document["status"], status);
        assert_eq!(document["type"], format!("/problems/{code}"));
        assert_eq!(document["request_id"], self.header("x-request-id").unwrap());
        document
    }

    /// The only fault that a 422 lists: where and what.
    #[track_caller]
    pub(crate) fn fault(&self) -> (String, String) {
        let document = self.problem(422, "validation_failed");
        let [fault] = document["errors"].as_array().unwrap().as_slice() else {
            panic!("one fault: {document}");
        };
        let place = fault.get("pointer").or(fault.get("parameter")).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(place), text(&fault["code"]))
    }
}

/// Sends one request.
pub(crate) async fn send(stack: &Stack, request: Builder, body: impl Into<Body>) -> Answer {
    let request = request.body(body.into()).unwrap();
    let response = stack.clone().oneshot(request).await;
    let (head, body) = response.unwrap_or_else(|never| match never {}).into_parts();
    Answer {
        status: head.status,
        headers: head.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

/// Sends a `GET`.
pub(crate) async fn get(stack: &Stack, path: &str) -> Answer {
    send(stack, Request::get(path), Body::empty()).await
}

/// Sends a `POST` with a JSON body.
pub(crate) async fn post(stack: &Stack, path: &str, body: &'static str) -> Answer {
    let request = Request::post(path).header("content-type", "application/json");
    send(stack, request, body).await
}
