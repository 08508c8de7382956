//! Questions about numbers, to analytics that answer at once, later, or never.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use bz_testkit::{Act, Provider, Seen};
use serde_json::{Value, json};

use crate::support::World;

const REPORT: &str = "0195f3a0-0000-7000-8000-000000000001";

fn frame() -> Value {
    json!({
        "columns": [{ "key": "events.actors", "kind": "metric", "currency": null }],
        "rows": [{ "values": ["42"], "previous": ["40"] }],
        "meta": { "from": "2026-02-23", "to": "2026-03-01", "partial_period": false },
    })
}

/// Analytics that have a report made of every question; `answer` is what its file has at the n-th look.
async fn analytics(answer: impl Fn(usize) -> Act + Send + Sync + 'static) -> Provider {
    let looks = AtomicUsize::new(0);
    Provider::scripted(move |seen: &Seen| match seen.path.as_str() {
        "/api/metrics/catalog" => Act::json(
            200,
            &json!({ "metrics": [{ "key": "events.actors", "label": "People", "unit": "count" }] }),
        ),
        "/api/metrics/query" => Act::json(
            202,
            &json!({ "id": REPORT, "title": "events.actors", "status": "queued", "formats": ["json"] }),
        ),
        path => {
            assert_eq!(path, format!("/api/reports/{REPORT}/download?format=json"));
            answer(looks.fetch_add(1, SeqCst))
        }
    })
    .await
}

fn not_ready() -> Act {
    let problem = json!({
        "type": "about:blank", "title": "Conflict", "status": 409, "code": "report_not_ready",
        "detail": "The report is not made yet. Ask again in a moment.",
    });
    let kind = "content-type: application/problem+json\r\n";
    Act::answer(409, kind, &problem.to_string())
}

fn made(answer: &Value) -> Act {
    let part = json!({ "id": "numbers", "title": "events.actors", "answer": answer });
    Act::json(200, &json!({ "title": "events.actors", "parts": [part] }))
}

const QUESTION: &str = "how many visitors did we have last week?";

#[tokio::test]
async fn numbers_that_take_a_moment_to_count_are_waited_for() {
    let provider = analytics(|look| match look {
        0 | 1 => not_ready(),
        _ => made(&json!({ "frame": frame() })),
    })
    .await;
    let world = World::with_analytics(&provider).await;
    let answer = world.talk().ask(QUESTION).await;
    assert_eq!(
        answer["reply"],
        "People (events): 42 from 23 Feb 2026 to 1 Mar 2026. The period before had 40."
    );
    let place = format!("/api/reports/{REPORT}");
    assert_eq!(
        answer["citations"],
        json!([{ "source": "analytics", "path": place }])
    );
}

#[tokio::test]
async fn numbers_that_take_longer_are_told_where_they_will_be() {
    let provider = analytics(|_| not_ready()).await;
    let world = World::with_analytics(&provider).await;
    let answer = world.talk().ask(QUESTION).await;
    assert_eq!(
        answer["reply"],
        "Counting People (events) takes a while. The numbers will be in the report \"events.actors\" of your analytics."
    );
    let place = format!("/api/reports/{REPORT}");
    assert_eq!(
        (&answer["citations"][0]["path"], &answer["would"]),
        (&json!(place), &json!("answer"))
    );
    assert_eq!(answer["degraded"], json!([]));
}

#[tokio::test]
async fn numbers_that_could_not_be_counted_are_told_with_the_reason() {
    let provider = analytics(|_| {
        made(&json!({ "problem": { "code": "too_many_events", "detail": "Ask for fewer days." } }))
    })
    .await;
    let world = World::with_analytics(&provider).await;
    let answer = world.talk().ask(QUESTION).await;
    let reply = answer["reply"].as_str().unwrap();
    assert!(reply.contains("Ask for fewer days."), "{reply}");
    assert_eq!(answer["degraded"], json!([]));
}
