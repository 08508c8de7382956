//! What every request and every answer gets, whatever the route does.

use std::future::pending;
use std::time::Duration;

use axum::body::Body;
use axum::routing::{get as on_get, post as on_post};
use axum::{Extension, Router};
use bytes::Bytes;
use bz_http::layers::{LayerConfig, Stack, stack};
use bz_http::{ClientIp, Problem, TrustedProxies, context};
use bz_kernel::Sources;
use futures_util::stream;
use http::{HeaderMap, Method, Request};
use metrics_exporter_prometheus::PrometheusBuilder;
use tracing::Span;
use uuid::Uuid;

use crate::support::{BODY_LIMIT, config, get, send, stacked};

fn app() -> Stack {
    stacked(router())
}

fn of_little_patience() -> LayerConfig {
    LayerConfig {
        request_timeout: Duration::from_millis(100),
        ..config()
    }
}

fn router() -> Router {
    Router::new()
        .route("/leads", on_get(async || "leads").post(echo))
        .route("/leads/{id}", on_get(async || "lead"))
        .route("/hang", on_get(pending::<&'static str>))
        .route("/slow", on_get(slow))
        .route("/slower", on_get(slower))
        .route("/panic", on_get(panics))
        .route("/large", on_get(async || "x".repeat(5000)))
        .route("/events", on_get(events))
        .route("/context", on_get(async || seen_context()))
        .route("/spawned", on_get(spawned))
        .route(
            "/failing",
            on_get(async || Problem::internal("secret cause")),
        )
        .route("/upload", on_post(echo))
        .route("/client", on_get(client))
}

async fn client(Extension(ClientIp(ip)): Extension<ClientIp>) -> String {
    ip.to_string()
}

async fn echo(body: Bytes) -> Bytes {
    body
}

/// Takes longer than a service of little patience gives, but says so.
async fn slow() -> String {
    context::extend_deadline(Duration::from_secs(20));
    tokio::time::sleep(Duration::from_millis(200)).await;
    let left = context::current().unwrap().remaining();
    format!("more than ten seconds left: {}", left.as_secs() > 10)
}

/// Takes longer than it says.
async fn slower() {
    context::extend_deadline(Duration::from_millis(150));
    pending::<()>().await;
}

async fn panics() -> &'static str {
    panic!("secret panic")
}

async fn events() -> impl axum::response::IntoResponse {
    (
        [("content-type", "text/event-stream")],
        "data: x\n\n".repeat(1000),
    )
}

fn seen_context() -> String {
    context::current().map_or_else(String::new, |context| {
        format!(
            "{} {} {}",
            context.request_id, context.path, context.traceparent
        )
    })
}

async fn spawned() -> String {
    let bare = tokio::spawn(async { seen_context() }).await.unwrap();
    let carried = tokio::spawn(context::carry(async { seen_context() }));
    format!("{bare}{}", carried.await.unwrap())
}

#[tokio::test]
async fn an_unknown_path_is_a_problem_that_names_it() {
    let answer = get(&app(), "/nowhere/at/all").await;
    assert_eq!(
        answer.problem(404, "not_found")["instance"],
        "/nowhere/at/all"
    );
}

#[tokio::test]
async fn a_wrong_method_is_a_problem_that_lists_the_right_ones() {
    let answer = send(&app(), Request::delete("/leads"), Body::empty()).await;
    answer.problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("GET,HEAD,POST"));
}

#[tokio::test]
async fn a_proper_request_id_is_kept_and_another_is_replaced() {
    let app = app();
    let sent = async |id: &str| {
        let request = Request::get("/leads").header("x-request-id", id);
        let answer = send(&app, request, Body::empty()).await;
        answer.header("x-request-id").unwrap().to_owned()
    };
    assert_eq!(sent("batch_7.line-3").await, "batch_7.line-3");
    for bad in ["", "two words", "a\"b", &"x".repeat(129)] {
        let id: Uuid = sent(bad).await.parse().unwrap();
        assert_eq!(id.get_version_num(), 7);
    }
}

#[tokio::test]
async fn a_slash_at_the_end_changes_nothing_and_redirects_nobody() {
    let app = app();
    for path in ["/leads", "/leads/", "/leads/?limit=3"] {
        assert_eq!(get(&app, path).await.text(), "leads", "{path}");
        let posted = send(&app, Request::post(path), "kept body").await;
        assert_eq!((posted.status.as_u16(), posted.text()), (200, "kept body"));
    }
    assert_eq!(get(&app, "/leads/7/").await.text(), "lead");
    get(&app, "/").await.problem(404, "not_found");
    get(&app, "//").await.problem(404, "not_found");
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let answer = send(&app(), Request::head("/leads"), Body::empty()).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
    assert_eq!(answer.header("content-length"), Some("5"));
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_also_when_its_length_was_not_told() {
    let app = app();
    let fits = send(&app, Request::post("/upload"), vec![b'x'; BODY_LIMIT]).await;
    assert_eq!(fits.status, 200);
    let large = vec![b'x'; BODY_LIMIT + 1];
    assert_eq!(
        send(&app, Request::post("/upload"), large.clone())
            .await
            .status,
        413
    );
    let pieces = large
        .chunks(100)
        .map(|piece| Ok::<_, std::io::Error>(piece.to_vec()));
    let pieces = Body::from_stream(stream::iter(pieces.collect::<Vec<_>>()));
    assert_eq!(
        send(&app, Request::post("/upload"), pieces).await.status,
        413
    );
}

#[tokio::test]
async fn a_request_ends_at_the_services_limit_or_earlier_when_the_client_says_so() {
    let app_of_little_patience = stack(router(), of_little_patience(), Sources::system());
    get(&app_of_little_patience, "/hang")
        .await
        .problem(504, "deadline_exceeded");
    let request = Request::get("/hang").header("x-request-deadline-ms", "20");
    send(&app(), request, Body::empty())
        .await
        .problem(504, "deadline_exceeded");
    // No client gets more than the service gives.
    let request = Request::get("/hang").header("x-request-deadline-ms", "18446744073709551615");
    send(&app_of_little_patience, request, Body::empty())
        .await
        .problem(504, "deadline_exceeded");
}

#[tokio::test]
async fn a_handler_may_ask_for_more_time_but_not_for_more_than_the_client_gives() {
    let app = stack(router(), of_little_patience(), Sources::system());
    assert_eq!(
        get(&app, "/slow").await.text(),
        "more than ten seconds left: true"
    );
    get(&app, "/slower").await.problem(504, "deadline_exceeded");
    let request = Request::get("/slow").header("x-request-deadline-ms", "150");
    send(&app, request, Body::empty())
        .await
        .problem(504, "deadline_exceeded");
}

#[tokio::test]
async fn a_panic_is_a_500_that_does_not_tell_why_and_the_next_request_is_answered() {
    let app = app();
    let answer = get(&app, "/panic").await;
    answer.problem(500, "internal");
    assert!(!answer.text().contains("secret"));
    assert_eq!(get(&app, "/leads").await.status, 200);
}

#[tokio::test]
async fn a_cause_never_reaches_the_client() {
    let answer = get(&app(), "/failing").await;
    answer.problem(500, "internal");
    assert!(!answer.text().contains("secret"));
}

#[tokio::test]
async fn answers_are_neither_sniffed_nor_cached_unless_a_route_says_so() {
    let answer = get(&app(), "/leads").await;
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn large_answers_are_compressed_small_ones_and_streams_of_events_are_not() {
    let app = app();
    let encoding = async |path: &str, accepted: &str| {
        let request = Request::get(path).header("accept-encoding", accepted);
        let answer = send(&app, request, Body::empty()).await;
        answer.header("content-encoding").map(str::to_owned)
    };
    assert_eq!(encoding("/large", "gzip").await.as_deref(), Some("gzip"));
    assert_eq!(encoding("/large", "gzip, br").await.as_deref(), Some("br"));
    assert_eq!(encoding("/large", "identity").await, None);
    assert_eq!(encoding("/leads", "gzip").await, None);
    assert_eq!(encoding("/events", "gzip").await, None);
}

#[tokio::test]
async fn only_a_trusted_proxy_says_who_the_client_is() {
    let behind = LayerConfig {
        trusted_proxies: TrustedProxies::parse(&["10.0.0.0/8".to_owned()]).unwrap(),
        ..config()
    };
    let app = stack(router(), behind, Sources::system());
    for (peer, expected) in [("10.0.0.1", "203.0.113.7"), ("192.0.2.1", "192.0.2.1")] {
        let request = Request::builder()
            .uri("/client")
            .header("x-forwarded-for", "9.9.9.9, 203.0.113.7")
            .extension(ClientIp(peer.parse().unwrap()));
        let answer = send(&app, request, Body::empty()).await;
        assert_eq!(answer.text(), expected);
    }
}

#[tokio::test]
async fn only_allowed_origins_may_call_from_a_browser_and_they_can_read_errors() {
    let open = LayerConfig {
        cors_allowed_origins: vec!["https://app.example".to_owned()],
        ..config()
    };
    let app = stack(router(), open, Sources::system());
    let from = |origin: &str, method: Method, path: &str| {
        Request::builder()
            .method(method)
            .uri(path)
            .header("origin", origin)
    };
    let allowed = |answer: &crate::support::Answer| {
        answer
            .header("access-control-allow-origin")
            .map(str::to_owned)
    };

    let ask = from("https://app.example", Method::OPTIONS, "/leads")
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", "if-match,traceparent");
    let preflight = send(&app, ask, Body::empty()).await;
    assert_eq!(preflight.status, 200);
    assert_eq!(allowed(&preflight).as_deref(), Some("https://app.example"));
    assert!(
        preflight
            .header("access-control-allow-headers")
            .unwrap()
            .contains("traceparent")
    );

    for path in ["/nowhere", "/failing"] {
        let request = from("https://app.example", Method::GET, path);
        let answer = send(&app, request, Body::empty()).await;
        assert_eq!(
            allowed(&answer).as_deref(),
            Some("https://app.example"),
            "{path}"
        );
    }
    let stranger = from("https://evil.example", Method::GET, "/leads");
    assert_eq!(allowed(&send(&app, stranger, Body::empty()).await), None);
    let closed = from("https://app.example", Method::GET, "/leads");
    assert_eq!(
        allowed(&send(&stacked(router()), closed, Body::empty()).await),
        None
    );
}

#[tokio::test]
async fn a_handler_sees_the_requests_id_path_and_trace() {
    let request = Request::get("/context/?a=b")
        .header("x-request-id", "r-1")
        .header(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        );
    let answer = send(&app(), request, Body::empty()).await;
    let [id, path, trace] = answer.text().split(' ').collect::<Vec<_>>()[..] else {
        panic!("three words: {}", answer.text());
    };
    assert_eq!((id, path), ("r-1", "/context/"));
    assert!(trace.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && trace.ends_with("-01"));
    assert!(
        !trace.contains("00f067aa0ba902b7"),
        "the request is a span of its own"
    );
}

/// Plays telemetry that exports the spans of requests with this header.
fn export(_: &Span, headers: &HeaderMap) -> Option<String> {
    let exported = headers.get("x-exported")?;
    Some(exported.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_span_that_is_exported_is_the_one_that_siblings_are_told() {
    const EXPORTED: &str = "00-0000000000000000000000000000000a-000000000000000b-01";
    context::set_span_parent(export);
    let request = Request::get("/context").header("x-exported", EXPORTED);
    let answer = send(&app(), request, Body::empty()).await;
    assert!(answer.text().ends_with(EXPORTED), "{}", answer.text());
}

#[tokio::test]
async fn a_spawned_task_has_the_request_only_when_it_is_carried() {
    let request = Request::get("/spawned").header("x-request-id", "r-1");
    let answer = send(&app(), request, Body::empty()).await;
    assert!(
        answer.text().starts_with("r-1 /spawned 00-"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn requests_are_measured_by_route_also_those_that_panic_or_never_end() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let app = app();
    for id in 0..3 {
        get(&app, &format!("/leads/{id}")).await;
    }
    get(&app, "/panic").await;
    get(&app, "/nowhere").await;
    let hang = Request::get("/hang").header("x-request-deadline-ms", "5");
    send(&app, hang, Body::empty()).await;
    send(
        &app,
        Request::builder().method("BREW").uri("/leads"),
        Body::empty(),
    )
    .await;

    let metrics = recorder.handle().render();
    let counted = |method: &str, route: &str, status: u16, times: u32| {
        let line = metrics.lines().find(|line| {
            line.starts_with("http_request_duration_seconds_count{service=\"test\"")
                && line.contains(&format!("method=\"{method}\""))
                && line.contains(&format!("route=\"{route}\""))
                && line.contains(&format!("status=\"{status}\""))
        });
        let line = line.unwrap_or_else(|| panic!("{method} {route} {status} in {metrics}"));
        assert!(line.ends_with(&format!(" {times}")), "{line}");
    };
    counted("GET", "/leads/{id}", 200, 3);
    counted("GET", "/panic", 500, 1);
    counted("GET", "/hang", 504, 1);
    counted("GET", "unmatched", 404, 1);
    counted("other", "/leads", 405, 1);
}
