//! What the log gets about a request.

use std::io::{Result, Write};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get as on_get;
use bz_http::Problem;
use http::Request;
use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{get, send, stacked};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn read(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the outer error")]
struct Outer(#[source] std::io::Error);

fn router() -> Router {
    Router::new()
        .route("/fine", on_get(async || "fine").post(async || "done"))
        .route(
            "/failing",
            on_get(async || {
                let inner = std::io::Error::other("the inner error");
                Problem::unavailable(Outer(inner))
            }),
        )
}

/// Runs one request under a log of this level and says what was written.
async fn logged(level: tracing::Level, request: http::request::Builder) -> Vec<Value> {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(level)
        .with_writer(lines.clone())
        .finish();
    let installed = tracing::subscriber::set_default(subscriber);
    send(&stacked(router()), request, "").await;
    drop(installed);
    lines.read()
}

#[tokio::test]
async fn a_failure_is_one_line_with_the_whole_chain_and_the_request_id_at_every_level() {
    for level in [tracing::Level::ERROR, tracing::Level::INFO] {
        let request = Request::get("/failing").header("x-request-id", "r-1");
        let lines = logged(level, request).await;
        let [line] = lines.as_slice() else {
            panic!("one line: {lines:?}");
        };
        assert_eq!(line["level"], "ERROR");
        let fields = &line["fields"];
        assert_eq!(fields["cause"], "the outer error: the inner error");
        assert_eq!(fields["request_id"], "r-1");
        assert_eq!(fields["code"], "unavailable");
        assert_eq!(
            (&fields["status"], &fields["route"]),
            (&503.into(), &"/failing".into())
        );
    }
}

#[tokio::test]
async fn a_change_is_one_line_and_a_read_that_succeeds_is_none() {
    let lines = logged(tracing::Level::INFO, Request::post("/fine")).await;
    let [line] = lines.as_slice() else {
        panic!("one line: {lines:?}");
    };
    assert_eq!(
        (&line["level"], &line["fields"]["route"]),
        (&"INFO".into(), &"/fine".into())
    );
    assert_eq!(line["span"]["otel.name"], "POST /fine");
    assert_eq!(line["span"]["trace_id"].as_str().unwrap().len(), 32);
    assert!(
        logged(tracing::Level::INFO, Request::get("/fine"))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn the_answer_of_a_failure_does_not_have_its_chain() {
    let answer = get(&stacked(router()), "/failing").await;
    answer.problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(!answer.text().contains("error"));
}
