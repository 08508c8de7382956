//! `POST /api/events`: what is taken, once, and what is not.

use analytics::Analytics;
use bz_testkit::{Client, TestApp};
use serde_json::{Value, json};

use crate::support::{event, events, id, metric, overview, send, stored_and_counted};

const TS: &str = "2026-03-02T08:07:00Z";

async fn rejections(client: &Client, batch: Value) -> Vec<(u64, String)> {
    let response = client.post("/api/events", json!({ "events": batch }));
    let answer = response.await.assert_status(200).json();
    let rejected = answer["rejected"].as_array().unwrap();
    rejected
        .iter()
        .map(|one| {
            let code = one["code"].as_str().unwrap().to_owned();
            (one["index"].as_u64().unwrap(), code)
        })
        .collect()
}

#[tokio::test]
async fn events_are_stored_as_they_were_sent_and_counted() {
    let app = TestApp::<Analytics>::start().await;
    let bought = json!({
        "event_id": id(0), "name": "checkout:paid", "ts": "2026-03-02T09:59:59.5+01:00", "session_id": "visit-1",
        "actor_id": "ada", "value_minor": 1999, "currency": "EUR", "props": { "plan": "pro", "seats": [1, 2] }
    });
    let answer = send(&app.acme.member, &[bought, event(1, "page_view", TS)]).await;
    assert_eq!(
        answer,
        json!({ "accepted": 2, "duplicates": 0, "rejected": [] })
    );

    let mut admin = app.database.admin().await;
    let row: Value = sqlx::query_scalar(
        "SELECT to_jsonb(e) - 'ts' - 'received_at' || jsonb_build_object('on_time', ts = '2026-03-02T08:59:59.5Z', \
                'received_now', received_at = $2) \
         FROM analytics.tracked_events AS e WHERE event_id = $1::uuid",
    )
    .bind(id(0))
    .bind(bz_testkit::NOW)
    .fetch_one(&mut admin)
    .await
    .unwrap();
    assert_eq!(
        row,
        json!({
            "tenant_id": app.acme.id(), "event_id": id(0), "name": "checkout:paid", "actor_id": "ada",
            "session_id": "visit-1", "value_minor": 1999, "currency": "EUR", "source": null, "medium": null,
            "campaign": null, "country": null, "device": null, "path": null,
            "props": { "plan": "pro", "seats": [1, 2] }, "on_time": true, "received_now": true
        })
    );
    assert_eq!(stored_and_counted(&app).await, (2, 2));
}

#[tokio::test]
async fn a_batch_sent_again_counts_once() {
    let app = TestApp::<Analytics>::start().await;
    let mut batch = events(10, "page_view", TS);
    send(&app.acme.member, &batch).await;
    let again = send(&app.acme.member, &batch).await;
    assert_eq!(
        (&again["accepted"], &again["duplicates"]),
        (&json!(0), &json!(10))
    );

    // Known and new ones together, and one of them twice.
    batch.push(event(10, "page_view", TS));
    batch.push(event(10, "page_view", TS));
    let mixed = send(&app.acme.member, &batch).await;
    assert_eq!(
        (&mixed["accepted"], &mixed["duplicates"]),
        (&json!(1), &json!(11))
    );
    assert_eq!(stored_and_counted(&app).await, (11, 11));
}

#[tokio::test]
async fn four_senders_of_the_same_events_at_once_count_them_once() {
    let app = TestApp::<Analytics>::start().await;
    let mut sending = tokio::task::JoinSet::new();
    for sender in 0..4 {
        let member = app.acme.member.clone();
        // Two quarters of an hour, and every sender in another order: neither rows nor counts may deadlock.
        let mut batch = events(400, "page_view", TS);
        for event in batch.iter_mut().step_by(3) {
            event["ts"] = json!("2026-03-02T06:00:00Z");
        }
        batch.rotate_left(sender * 100);
        sending.spawn(async move { send(&member, &batch).await });
    }
    let answers = sending.join_all().await;
    let sum = |key: &str| {
        let numbers = answers.iter().map(|answer| answer[key].as_u64().unwrap());
        numbers.sum::<u64>()
    };
    assert_eq!((sum("accepted"), sum("duplicates")), (400, 1200));
    assert_eq!(stored_and_counted(&app).await, (400, 400));
}

#[tokio::test]
async fn faulty_events_are_listed_and_the_others_are_taken() {
    let app = TestApp::<Analytics>::start().await;
    let with = |n: usize, key: &str, value: Value| {
        let mut event = event(n, "page_view", TS);
        event[key] = value;
        event
    };
    let batch = json!([
        event(0, "page_view", TS),
        event(1, "page view", TS),
        event(2, "", TS),
        event(3, "page_view", "2026-03-03T09:00:01Z"),
        event(4, "page_view", "2025-01-30T08:59:59Z"),
        with(5, "session_id", json!("x".repeat(201))),
        with(6, "value_minor", json!(100)),
        with(7, "currency", json!("EUR")),
        json!({ "event_id": id(8), "name": "sale", "ts": TS, "value_minor": 1, "currency": "eur" }),
        with(9, "props", json!({ "text": "x".repeat(8192) })),
        // The last instants and lengths that are good.
        event(10, &"n".repeat(100), "2026-03-03T09:00:00Z"),
        event(11, "page_view", "2025-01-30T09:00:00Z"),
        // Amounts that cannot be added up.
        json!({ "event_id": id(12), "name": "sale", "ts": TS, "value_minor": i64::MAX, "currency": "EUR" }),
        json!({ "event_id": id(13), "name": "sale", "ts": TS, "value_minor": i64::MIN, "currency": "EUR" }),
    ]);
    let expected = [
        (1, "invalid_name"),
        (2, "invalid_name"),
        (3, "in_the_future"),
        (4, "too_old"),
        (5, "too_long"),
        (6, "incomplete_amount"),
        (7, "incomplete_amount"),
        (8, "invalid_currency"),
        (9, "props_too_large"),
        (12, "too_large"),
        (13, "too_large"),
    ]
    .map(|(index, code)| (index, code.to_owned()));
    assert_eq!(rejections(&app.acme.member, batch).await, expected);
    assert_eq!(stored_and_counted(&app).await, (3, 3));
}

#[tokio::test]
async fn a_batch_of_faults_alone_is_refused_with_all_of_them() {
    let app = TestApp::<Analytics>::start().await;
    let batch = [
        event(0, "no good", TS),
        event(1, "late", "1999-01-01T00:00:00Z"),
    ];
    let refused = app
        .acme
        .member
        .post("/api/events", json!({ "events": batch }));
    let problem = refused
        .await
        .assert_problem(422, "validation_failed")
        .json();
    let errors = problem["errors"].as_array().unwrap();
    let told: Vec<_> = errors
        .iter()
        .map(|error| {
            (
                error["pointer"].as_str().unwrap(),
                error["code"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [("/events/0", "invalid_name"), ("/events/1", "too_old")]
    );
    assert_eq!(stored_and_counted(&app).await, (0, 0));
}

#[tokio::test]
async fn a_viewer_may_look_and_not_send() {
    let app = TestApp::<Analytics>::start().await;
    let batch = json!({ "events": events(1, "page_view", TS) });
    let refused = app.acme.viewer.post("/api/events", batch).await;
    refused.assert_problem(403, "forbidden");
    overview(&app.acme.viewer, "days=7").await;
    assert_eq!(stored_and_counted(&app).await, (0, 0));
}

#[tokio::test]
async fn another_tenant_sees_nothing_and_may_use_the_same_ids() {
    let app = TestApp::<Analytics>::start().await;
    send(&app.acme.member, &events(3, "page_view", TS)).await;
    let theirs = overview(&app.globex.owner, "days=7").await;
    assert_eq!(metric(&theirs, "other_events")["total"], 0);

    let answer = send(&app.globex.member, &events(2, "page_view", TS)).await;
    assert_eq!(answer["accepted"], 2);
    let theirs = overview(&app.globex.owner, "days=7").await;
    assert_eq!(metric(&theirs, "other_events")["total"], 2);
    let ours = overview(&app.acme.owner, "days=7").await;
    assert_eq!(metric(&ours, "other_events")["total"], 3);
}

#[tokio::test]
async fn a_batch_has_1_to_5000_events() {
    let app = TestApp::<Analytics>::start().await;
    for wrong in [0, 5001] {
        let batch = json!({ "events": events(wrong, "page_view", TS) });
        let refused = app.acme.member.post("/api/events", batch).await;
        let problem = refused.assert_problem(422, "validation_failed").json();
        assert_eq!(
            (
                &problem["errors"][0]["pointer"],
                &problem["errors"][0]["code"]
            ),
            (&json!("/events"), &json!("invalid_length"))
        );
    }
    send(&app.acme.member, &events(5000, "page_view", TS)).await;
    assert_eq!(stored_and_counted(&app).await, (5000, 5000));
}

#[tokio::test]
async fn a_body_may_have_five_megabytes() {
    let app = TestApp::<Analytics>::start().await;
    let post = async |size: usize| {
        let mut body = json!({ "events": events(1, "page_view", TS) }).to_string();
        body.push_str(&" ".repeat(size - body.len()));
        let sent = app.acme.member.post("/api/events", ());
        sent.body("application/json", body).await
    };
    let limit = 5 * 1024 * 1024;
    post(limit + 1)
        .await
        .assert_problem(413, "payload_too_large");
    assert_eq!(stored_and_counted(&app).await, (0, 0));
    post(limit).await.assert_status(200);
    assert_eq!(stored_and_counted(&app).await, (1, 1));
}

#[tokio::test]
async fn a_tenant_that_sends_too_often_waits_and_others_do_not() {
    let app = TestApp::<Analytics>::builder()
        .env("EVENT_BATCHES_PER_TENANT", "2")
        .start()
        .await;
    for n in 0..2 {
        send(&app.acme.member, &[event(n, "page_view", TS)]).await;
    }
    let third = json!({ "events": [event(2, "page_view", TS)] });
    let refused = app.acme.owner.post("/api/events", third).await;
    let refused = refused.assert_problem(429, "rate_limited");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(stored_and_counted(&app).await, (2, 2));
    send(&app.globex.member, &[event(3, "page_view", TS)]).await;
}
