//! Reports that are made again and again.

use analytics::Analytics;
use bz_testkit::TestApp;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::reports::tile;

pub(crate) fn wanted() -> Value {
    json!({
        "name": "Every Monday", "cron": "0 8 * * 1", "timezone": "Europe/Berlin",
        "report": { "title": "Week", "tiles": [tile()], "formats": ["csv"] }
    })
}

#[tokio::test]
async fn a_schedule_shows_its_next_three_times() {
    let app = TestApp::<Analytics>::start().await;
    let made = app
        .acme
        .member
        .post("/api/report-schedules", wanted())
        .await
        .assert_status(201)
        .json();
    let times: Vec<DateTime<Utc>> = made["next_runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|at| at.as_str().unwrap().parse().unwrap())
        .collect();
    assert_eq!(times.len(), 3);
    assert!(times[0] > app.core.sources.now());
    assert!(
        times
            .windows(2)
            .all(|pair| (pair[1] - pair[0] - TimeDelta::days(7)).abs() <= TimeDelta::hours(1))
    );
    let path = format!("/api/report-schedules/{}", made["id"].as_str().unwrap());
    let read = app.acme.viewer.get(&path).await.assert_status(200);
    assert_eq!(read.json(), made);
    let list = app
        .acme
        .viewer
        .get("/api/report-schedules")
        .await
        .assert_status(200)
        .json();
    assert_eq!(list["items"][0], made);
}

#[tokio::test]
async fn a_time_that_has_come_orders_one_report_whoever_sees_it() {
    let mut app = TestApp::<Analytics>::start().await;
    let made = app
        .acme
        .member
        .post("/api/report-schedules", wanted())
        .await
        .assert_status(201)
        .json();
    let first: DateTime<Utc> = made["next_runs"][0].as_str().unwrap().parse().unwrap();
    app.clock
        .advance(first - app.core.sources.now() + TimeDelta::seconds(5));
    let mut other = TestApp::<Analytics>::builder()
        .database(app.database.clone())
        .start()
        .await;
    other
        .clock
        .advance(app.core.sources.now() - other.core.sources.now());
    app.start_jobs();
    other.start_jobs();
    let mut admin = app.database.admin().await;
    let mut found: Vec<(DateTime<Utc>, String)> = Vec::new();
    for _ in 0..300 {
        found = sqlx::query_as("SELECT scheduled_for, status FROM analytics.reports")
            .fetch_all(&mut admin)
            .await
            .unwrap();
        if found.iter().any(|(_, status)| status == "succeeded") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // Another look of both, to be sure that neither orders it again.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(found, [(first, "succeeded".to_owned())]);
    let next: DateTime<Utc> =
        sqlx::query_scalar("SELECT next_run_at FROM analytics.report_schedules")
            .fetch_one(&mut admin)
            .await
            .unwrap();
    assert!(next > app.core.sources.now());
}

#[tokio::test]
async fn a_schedule_is_changed_on_the_version_one_knows_and_deleted() {
    let app = TestApp::<Analytics>::start().await;
    let member = &app.acme.member;
    let made = member
        .post("/api/report-schedules", wanted())
        .await
        .assert_status(201)
        .json();
    let path = format!("/api/report-schedules/{}", made["id"].as_str().unwrap());
    let off = member
        .patch(&path, json!({ "enabled": false }))
        .header("if-match", "\"1\"")
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&off["enabled"], &off["next_runs"]),
        (&json!(false), &json!([]))
    );
    member
        .patch(&path, json!({ "cron": "0 9 * * *" }))
        .header("if-match", "\"1\"")
        .await
        .assert_problem(412, "precondition_failed");
    let moved = member
        .patch(
            &path,
            json!({ "cron": "0 9 * * *", "timezone": "Asia/Kolkata", "enabled": true }),
        )
        .await
        .assert_status(200)
        .json();
    assert!(
        moved["next_runs"][0]
            .as_str()
            .unwrap()
            .contains("T03:30:00"),
        "{moved}"
    );
    member.delete(&path).await.assert_status(204);
    member.delete(&path).await.assert_problem(404, "not_found");
    member.get(&path).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_schedule_can_be_run_besides_its_times() {
    let app = TestApp::<Analytics>::start().await;
    let made = app
        .acme
        .member
        .post("/api/report-schedules", wanted())
        .await
        .assert_status(201)
        .json();
    let path = format!("/api/report-schedules/{}/run", made["id"].as_str().unwrap());
    let run = || {
        app.acme
            .member
            .post(&path, json!({}))
            .header("idempotency-key", "now")
    };
    let first = run().await.assert_status(202).json();
    assert_eq!(
        (&first["title"], &first["status"]),
        (&json!("Week"), &json!("queued"))
    );
    assert_eq!(run().await.assert_status(202).json()["id"], first["id"]);
    app.globex
        .member
        .post(&path, json!({}))
        .await
        .assert_problem(404, "not_found");
    app.acme
        .viewer
        .post(&path, json!({}))
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn the_same_key_makes_one_schedule_and_others_do_not_see_it() {
    let app = TestApp::<Analytics>::start().await;
    let send = || {
        app.acme
            .member
            .post("/api/report-schedules", wanted())
            .header("idempotency-key", "once")
    };
    let first = send().await.assert_status(201).json();
    assert_eq!(send().await.assert_status(201).json()["id"], first["id"]);
    let path = format!("/api/report-schedules/{}", first["id"].as_str().unwrap());
    app.globex
        .member
        .get(&path)
        .await
        .assert_problem(404, "not_found");
    app.globex
        .member
        .patch(&path, json!({ "name": "Mine" }))
        .await
        .assert_problem(404, "not_found");
    app.globex
        .member
        .delete(&path)
        .await
        .assert_problem(404, "not_found");
    app.acme
        .viewer
        .post("/api/report-schedules", wanted())
        .await
        .assert_problem(403, "forbidden");
    app.acme
        .viewer
        .patch(&path, json!({ "name": "Mine" }))
        .await
        .assert_problem(403, "forbidden");
    app.acme
        .viewer
        .delete(&path)
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn a_faulty_schedule_is_told_what_to_change() {
    let app = TestApp::<Analytics>::start().await;
    let member = &app.acme.member;
    let mut bad = wanted();
    bad["name"] = json!("");
    bad["cron"] = json!("every day");
    bad["timezone"] = json!("Berlin");
    bad["report"]["formats"] = json!([]);
    let refused = member
        .post("/api/report-schedules", bad)
        .await
        .assert_problem(422, "validation_failed")
        .json();
    let places: Vec<&str> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(places, ["/name", "/cron", "/timezone", "/report/formats"]);
    let mut often = wanted();
    often["cron"] = json!("* * * * *");
    let refused = member
        .post("/api/report-schedules", often)
        .await
        .assert_problem(422, "validation_failed")
        .json();
    assert_eq!(refused["errors"][0]["code"], "too_often");
}
