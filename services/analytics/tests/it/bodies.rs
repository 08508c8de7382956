//! `POST /api/events`: lines, compressed bodies, keys.

use std::io::Write;

use analytics::Analytics;
use axum::http::Method;
use bz_testkit::{Client, TestApp, TestRequest};
use serde_json::{Value, json};

use crate::support::{event, events, stored_and_counted};

const TS: &str = "2026-03-02T08:07:00Z";
const LINES: &str = "application/x-ndjson";

fn post(client: &Client, content_type: &str, body: impl Into<Vec<u8>>) -> TestRequest {
    let request = client.request(Method::POST, "/api/events");
    request.body(content_type, body.into())
}

fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

fn zstd(text: &str) -> Vec<u8> {
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    ruzstd::encoding::compress_to_vec(text.as_bytes(), level)
}

#[tokio::test]
async fn one_event_a_line_is_taken_and_each_bad_line_is_named() {
    let app = TestApp::<Analytics>::start().await;
    let good = lines(&events(3, "page_view", TS));
    let body = format!("{good}\nnot json\n{{\"event_id\": 7}}\n{}\r\n", event(3, "no good", TS));
    let answer = post(&app.acme.member, LINES, body).await.assert_status(200).json();
    assert_eq!(answer["accepted"], 3);
    let rejected = answer["rejected"].as_array().unwrap();
    let told: Vec<_> = rejected.iter().map(|one| (one["index"].clone(), one["code"].clone())).collect();
    assert_eq!(
        told,
        [
            (json!(3), json!("malformed_json")),
            (json!(4), json!("invalid_value")),
            (json!(5), json!("invalid_name"))
        ]
    );
    assert_eq!(stored_and_counted(&app).await, (3, 3));
}

#[tokio::test]
async fn a_body_of_lines_has_1_to_5000_events() {
    let app = TestApp::<Analytics>::start().await;
    for body in [String::new(), "\n\n".to_owned(), lines(&events(5001, "x", TS))] {
        let refused = post(&app.acme.member, LINES, body).await;
        let problem = refused.assert_problem(422, "validation_failed").json();
        assert_eq!(problem["errors"][0]["code"], "invalid_length");
    }
    let refused = post(&app.acme.member, LINES, "nonsense\nnonsense").await;
    let problem = refused.assert_problem(422, "validation_failed").json();
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
    assert_eq!(stored_and_counted(&app).await, (0, 0));
}

#[tokio::test]
async fn bodies_may_be_compressed_in_either_form() {
    let app = TestApp::<Analytics>::start().await;
    let all = events(2000, "page_view", TS);
    let whole = json!({ "events": all }).to_string();
    for (encoding, content_type, body, accepted) in [
        ("gzip", "application/json", gzipped(&whole), 2000),
        ("zstd", "application/json", zstd(&whole), 0),
        ("gzip", LINES, gzipped(&lines(&all)), 0),
        ("zstd", LINES, zstd(&lines(&all)), 0),
        ("identity", LINES, lines(&all).into_bytes(), 0),
    ] {
        let sent = post(&app.acme.member, content_type, body).header("content-encoding", encoding);
        let answer = sent.await.assert_status(200).json();
        assert_eq!(answer["accepted"], accepted, "{encoding} {content_type}");
        assert_eq!(answer["duplicates"], 2000 - accepted);
    }
    assert_eq!(stored_and_counted(&app).await, (2000, 2000));
}

#[tokio::test]
async fn what_is_not_compressed_as_it_says_or_too_large_unpacked_is_refused() {
    let app = TestApp::<Analytics>::start().await;
    for encoding in ["gzip", "zstd"] {
        let sent = post(&app.acme.member, LINES, "plain text").header("content-encoding", encoding);
        sent.await.assert_problem(400, "malformed_json");
    }
    let sent = post(&app.acme.member, LINES, "x").header("content-encoding", "br");
    sent.await.assert_problem(415, "unsupported_media_type");
    let bomb = " ".repeat(5 * 1024 * 1024 + 1);
    for (encoding, body) in [("gzip", gzipped(&bomb)), ("zstd", zstd(&bomb))] {
        let sent = post(&app.acme.member, LINES, body).header("content-encoding", encoding);
        sent.await.assert_problem(413, "payload_too_large");
    }
    let half = gzipped(&lines(&events(100, "page_view", TS)));
    let sent = post(&app.acme.member, LINES, half[..half.len() / 2].to_vec());
    let sent = sent.header("content-encoding", "gzip");
    sent.await.assert_problem(400, "malformed_json");
    assert_eq!(stored_and_counted(&app).await, (0, 0));
}

#[tokio::test]
async fn a_request_with_a_key_is_answered_again_as_it_was() {
    let app = TestApp::<Analytics>::start().await;
    let post = async |n: usize| {
        let body = json!({ "events": [event(n, "page_view", TS), event(9, "no good", TS)] });
        let sent = app.acme.member.post("/api/events", body);
        sent.header("idempotency-key", "once").await
    };
    let first = post(0).await.assert_status(200);
    let again = post(0).await.assert_status(200);
    assert_eq!(first.json(), again.json());
    assert_eq!(again.json()["accepted"], 1);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(first.header("idempotency-replayed"), None);
    post(1).await.assert_problem(422, "idempotency_key_reused");
    assert_eq!(stored_and_counted(&app).await, (1, 1));
}

#[tokio::test]
async fn the_same_id_at_another_instant_is_another_event() {
    let app = TestApp::<Analytics>::start().await;
    let batch = json!({ "events": [event(0, "page_view", TS), event(0, "page_view", "2026-03-02T08:08:00Z")] });
    let answer = app.acme.member.post("/api/events", batch).await.json();
    assert_eq!(answer["accepted"], 2);
}
