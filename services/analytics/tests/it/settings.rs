//! `/api/analytics/settings`: the zone and the currency where a question does not say.

use analytics::Analytics;
use bz_testkit::TestApp;
use serde_json::json;

use crate::metrics::{ask, rows, values};
use crate::support::{event, send};

const PATH: &str = "/api/analytics/settings";

#[tokio::test]
async fn settings_are_read_by_all_and_set_by_administrators() {
    let app = TestApp::<Analytics>::start().await;
    let read = app.acme.viewer.get(PATH).await.assert_status(200).json();
    assert_eq!(read, json!({ "timezone": "UTC", "currency": null }));
    let berlin = json!({ "timezone": "Europe/Berlin", "currency": "EUR" });
    for _ in 0..2 {
        let set = app
            .acme
            .admin
            .put(PATH, berlin.clone())
            .await
            .assert_status(200)
            .json();
        assert_eq!(set, berlin);
    }
    assert_eq!(
        app.acme.viewer.get(PATH).await.assert_status(200).json(),
        berlin
    );
    app.acme
        .member
        .put(PATH, berlin)
        .await
        .assert_problem(403, "forbidden");
    let theirs = app.globex.viewer.get(PATH).await.assert_status(200).json();
    assert_eq!(theirs["timezone"], "UTC");
}

#[tokio::test]
async fn a_question_without_a_zone_is_answered_in_the_tenants() {
    let app = TestApp::<Analytics>::start().await;
    send(
        &app.acme.member,
        &[
            event(0, "page_view", "2026-03-01T18:29:00Z"),
            event(1, "page_view", "2026-03-01T18:30:00Z"),
        ],
    )
    .await;
    let question = json!({ "metrics": ["events.page_views"], "range": { "from": "2026-03-01", "to": "2026-03-02" }, "granularity": "day" });
    let told = |frame: &serde_json::Value| {
        rows(frame)
            .iter()
            .map(|row| values(row)[0].unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        told(&ask(&app.acme.viewer, question.clone()).await),
        ["2", "0"]
    );
    let kolkata = json!({ "timezone": "Asia/Kolkata", "currency": null });
    app.acme.owner.put(PATH, kolkata).await.assert_status(200);
    // The answer in UTC was kept, and is another one.
    let frame = ask(&app.acme.viewer, question).await;
    assert_eq!(
        (told(&frame), &frame["meta"]["timezone"]),
        (vec!["1".to_owned(), "1".to_owned()], &json!("Asia/Kolkata"))
    );
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused() {
    let app = TestApp::<Analytics>::start().await;
    for (settings, pointer) in [
        (
            json!({ "timezone": "Europe/Atlantis", "currency": null }),
            "/timezone",
        ),
        (
            json!({ "timezone": "UTC", "currency": "euro" }),
            "/currency",
        ),
    ] {
        let refused = app.acme.owner.put(PATH, settings).await;
        let problem = refused.assert_problem(422, "validation_failed").json();
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    app.acme
        .owner
        .put(PATH, json!({ "currency": "EUR" }))
        .await
        .assert_problem(422, "validation_failed");
}
