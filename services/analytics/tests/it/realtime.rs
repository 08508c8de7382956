//! The last 30 minutes, once and as a stream.

use std::time::{Duration, Instant};

use analytics::Analytics;
use axum::body::Body;
use bz_testkit::{Client, Role, Tenant, TestApp, redis_url};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::support::{event, send};

const STREAM: &str = "/api/realtime/stream";
const PATIENCE: Duration = Duration::from_secs(25);

/// One server-sent event.
#[derive(Debug)]
struct Seen {
    kind: String,
    id: String,
    data: Value,
}

/// A stream that somebody reads.
struct Reader(Body);

impl Reader {
    async fn open(client: &Client) -> Self {
        let answer = client.get(STREAM).stream().await;
        assert_eq!(answer.status(), 200);
        Self(answer.into_body())
    }

    /// The next event; none at the end.
    async fn next(&mut self) -> Option<Seen> {
        let frame = tokio::time::timeout(PATIENCE, self.0.frame()).await.expect("an event in time")?;
        let text = String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap();
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim().to_owned()
        };
        Some(Seen {
            kind: field("event:"),
            id: field("id:"),
            data: serde_json::from_str(&field("data:")).unwrap(),
        })
    }
}

fn events_in(metrics: &Value) -> i64 {
    let minutes = metrics["minutes"].as_array().unwrap().iter();
    minutes.map(|minute| minute["events"].as_i64().unwrap()).sum()
}

#[tokio::test]
async fn the_last_thirty_minutes_are_shown_by_minute_with_who_is_there() {
    let app = TestApp::<Analytics>::start().await;
    let visit = |n: usize, name: &str, ts: &str, session: &str| {
        let mut event = event(n, name, ts);
        event["session_id"] = json!(session);
        event["actor_id"] = json!("ada");
        event
    };
    let batch = [
        visit(0, "page_view", "2026-03-02T08:30:59Z", "too long ago"),
        visit(1, "page_view", "2026-03-02T08:31:00Z", "a"),
        visit(2, "click", "2026-03-02T08:56:00Z", "b"),
        visit(3, "page_view", "2026-03-02T08:56:30Z", "b"),
        visit(4, "page_view", "2026-03-02T09:00:00Z", "c"),
        visit(5, "page_view", "2026-03-02T09:00:01Z", "not yet"),
    ];
    send(&app.acme.member, &batch).await;
    let seen = app.acme.viewer.get("/api/realtime/metrics").await.assert_status(200).json();
    assert_eq!(seen["minutes"].as_array().unwrap().len(), 30);
    assert_eq!(events_in(&seen), 4);
    assert_eq!(
        seen["minutes"][25],
        json!({ "at": "2026-03-02T08:56:00Z", "events": 2, "by_name": { "click": 1, "page_view": 1 } })
    );
    assert_eq!((&seen["active_sessions"], &seen["active_actors"]), (&json!(2), &json!(1)));
    let clicks = app.acme.viewer.get("/api/realtime/metrics?names=click,other").await.json();
    assert_eq!((events_in(&clicks), &clicks["active_sessions"]), (1, &json!(1)));
    let theirs = app.globex.viewer.get("/api/realtime/metrics").await.json();
    assert_eq!((events_in(&theirs), &theirs["data_version"]), (0, &json!(0)));
    app.acme.viewer.get("/api/realtime/metrics?name=click").await.assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn a_watcher_gets_a_snapshot_and_then_what_changes_within_a_second() {
    let app = TestApp::<Analytics>::start().await;
    let mut reader = Reader::open(&app.acme.viewer).await;
    let first = reader.next().await.unwrap();
    assert_eq!((first.kind.as_str(), events_in(&first.data)), ("snapshot", 0));
    // Another tenant's events are none of its business.
    send(&app.globex.member, &[event(0, "page_view", "2026-03-02T08:50:00Z")]).await;
    let mut took = Vec::new();
    for n in 0..5 {
        let waiting = tokio::spawn(async move { (reader.next().await.unwrap(), Instant::now(), reader) });
        // Longer than the least time between two deltas.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let sent = Instant::now();
        send(&app.acme.member, &[event(n, "page_view", "2026-03-02T08:59:00Z")]).await;
        let (delta, at, back) = waiting.await.unwrap();
        took.push(at.duration_since(sent));
        reader = back;
        assert_eq!(delta.kind, "delta");
        assert_eq!(delta.data["minutes"].as_array().unwrap().len(), 1);
        assert_eq!(delta.data["minutes"][0]["events"], n + 1);
        assert_eq!(delta.id, (n + 1).to_string());
    }
    took.sort();
    assert!(took[2] < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn a_slow_reader_gets_a_snapshot_and_no_backlog() {
    let app = TestApp::<Analytics>::start().await;
    let mut reader = Reader::open(&app.acme.viewer).await;
    assert_eq!(reader.next().await.unwrap().kind, "snapshot");
    for n in 0..300 {
        send(&app.acme.member, &[event(n, "page_view", "2026-03-02T08:59:00Z")]).await;
    }
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let next = reader.next().await.unwrap();
    assert_eq!((next.kind.as_str(), events_in(&next.data)), ("snapshot", 300));
    assert_eq!(next.data["minutes"].as_array().unwrap().len(), 30);
    // Nothing of the 300 waits behind it: the next thing is what happens next.
    let waiting = tokio::spawn(async move { reader.next().await.unwrap() });
    send(&app.acme.member, &[event(300, "page_view", "2026-03-02T08:59:00Z")]).await;
    let next = waiting.await.unwrap();
    assert_eq!((next.kind.as_str(), events_in(&next.data)), ("delta", 301));
}

#[tokio::test]
async fn who_comes_back_with_the_last_id_gets_what_is_new() {
    let app = TestApp::<Analytics>::start().await;
    send(&app.acme.member, &[event(0, "page_view", "2026-03-02T08:59:00Z")]).await;
    for (id, kind, minutes) in [("1", "delta", 0), ("0", "snapshot", 30), ("x", "snapshot", 30)] {
        let answer = app.acme.viewer.get(STREAM).header("last-event-id", id).stream().await;
        let seen = Reader(answer.into_body()).next().await.unwrap();
        assert_eq!((seen.kind.as_str(), seen.id.as_str()), (kind, "1"), "{id}");
        assert_eq!(seen.data["minutes"].as_array().unwrap().len(), minutes, "{id}");
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_token_and_with_the_service() {
    let app = TestApp::<Analytics>::start().await;
    let user = Tenant::Acme.user(Role::Viewer);
    let mut claims = app.tokens.user_claims(Tenant::Acme, user, &["viewer"]);
    claims.exp = u64::try_from(bz_testkit::NOW.timestamp()).unwrap() + 1;
    let leaving = app.acme.viewer.with_token(app.tokens.sign(&claims));
    let mut reader = Reader::open(&leaving).await;
    assert_eq!(reader.next().await.unwrap().kind, "snapshot");
    assert!(reader.next().await.is_none());

    let mut reader = Reader::open(&app.acme.viewer).await;
    assert_eq!(reader.next().await.unwrap().kind, "snapshot");
    app.core.shutdown.cancel();
    assert!(reader.next().await.is_none());
}

#[tokio::test]
async fn a_tenant_has_fifty_streams_and_a_closed_one_makes_room() {
    let app = TestApp::<Analytics>::start().await;
    let mut readers = Vec::new();
    for _ in 0..50 {
        readers.push(Reader::open(&app.acme.viewer).await);
    }
    let refused = app.acme.viewer.get(STREAM).await;
    assert!(refused.header("retry-after").is_some());
    refused.assert_problem(429, "too_many_streams");
    Reader::open(&app.globex.viewer).await;
    readers.pop();
    Reader::open(&app.acme.viewer).await;
}

#[tokio::test]
async fn another_replica_hears_of_it_through_redis_and_without_looks_for_itself() {
    let first = TestApp::<Analytics>::builder().redis(redis_url()).start().await;
    for with_redis in [true, false] {
        let mut builder = TestApp::<Analytics>::builder().beside(&first);
        if with_redis {
            builder = builder.redis(redis_url());
        }
        let mut second = builder.start().await;
        second.start_jobs();
        let mut reader = Reader::open(&second.acme.viewer).await;
        assert_eq!(reader.next().await.unwrap().kind, "snapshot");
        let n = usize::from(with_redis);
        send(&first.acme.member, &[event(n, "page_view", "2026-03-02T08:59:00Z")]).await;
        assert_eq!(reader.next().await.unwrap().kind, "delta");
        second.stop_jobs().await;
    }
}
