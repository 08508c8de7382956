//! `POST /api/funnels/query`: steps of people and of deals.

use analytics::{
    Analytics,
    sources::deals::{self, Deal, Outcome},
};
use bz_tenant::TenantScope;
use bz_testkit::{Client, NOW, Tenant, TestApp};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::support::{event, send};

async fn ask(client: &Client, funnel: Value, (from, to): (&str, &str)) -> Value {
    let asked = json!({ "funnel": funnel, "range": { "from": from, "to": to } });
    client
        .post("/api/funnels/query", asked)
        .await
        .assert_status(200)
        .json()
}

fn counts(funnel: &Value) -> Vec<i64> {
    let steps = funnel["steps"].as_array().unwrap().iter();
    steps.map(|step| step["count"].as_i64().unwrap()).collect()
}

fn by(actor: &str, n: usize, name: &str, ts: &str) -> Value {
    let mut event = event(n, name, ts);
    event["actor_id"] = json!(actor);
    event["session_id"] = json!(format!("{actor}-{}", &ts[..10]));
    event
}

fn steps(names: &[&str]) -> Value {
    names
        .iter()
        .map(|name| json!({ "events": { "event": name } }))
        .collect()
}

async fn shopped(app: &TestApp<Analytics>) {
    let events = [
        by("ada", 0, "view", "2026-02-10T08:00:00Z"),
        by("ada", 1, "cart", "2026-02-10T09:00:00Z"),
        by("ada", 2, "buy", "2026-02-11T07:59:59Z"),
        // Bob buys before he looks.
        by("bob", 3, "buy", "2026-02-10T08:00:00Z"),
        by("bob", 4, "view", "2026-02-10T09:00:00Z"),
        by("bob", 5, "cart", "2026-02-10T10:00:00Z"),
        // Cyd takes too long the first time, and comes again.
        by("cyd", 6, "view", "2026-02-01T08:00:00Z"),
        by("cyd", 7, "cart", "2026-02-09T08:00:00Z"),
        by("cyd", 8, "view", "2026-02-12T08:00:00Z"),
        by("cyd", 9, "cart", "2026-02-12T09:00:00Z"),
        by("cyd", 10, "buy", "2026-02-13T08:00:00Z"),
        by("dan", 11, "view", "2026-02-12T08:00:00Z"),
        event(12, "view", "2026-02-12T08:00:00Z"),
    ];
    send(&app.acme.member, &events).await;
}

#[tokio::test]
async fn steps_count_in_order_and_within_the_window() {
    let app = TestApp::<Analytics>::start().await;
    shopped(&app).await;
    let range = ("2026-02-01", "2026-02-28");
    let all = steps(&["view", "cart", "buy"]);
    let funnel = ask(
        &app.acme.viewer,
        json!({ "steps": all, "window_hours": 24 }),
        range,
    )
    .await;
    assert_eq!(counts(&funnel), [4, 3, 2]);
    let cart = &funnel["steps"][1];
    assert_eq!(
        (&cart["label"], &cart["step_rate"], &cart["total_rate"]),
        (&json!("cart"), &json!("0.75"), &json!("0.75"))
    );
    assert_eq!(funnel["steps"][2]["step_rate"], "0.666667");
    // Ada bought 23 hours and 59:59 after she looked, Cyd exactly a day.
    let funnel = ask(
        &app.acme.viewer,
        json!({ "steps": all, "window_hours": 23 }),
        range,
    )
    .await;
    assert_eq!(counts(&funnel), [4, 3, 0]);
    // A visit ends with its day here.
    let funnel = ask(
        &app.acme.viewer,
        json!({ "steps": all, "count_by": "session" }),
        range,
    )
    .await;
    assert_eq!(counts(&funnel), [5, 3, 0]);
}

#[tokio::test]
async fn those_who_began_in_the_range_may_end_after_it_unless_only_the_range_counts() {
    let app = TestApp::<Analytics>::start().await;
    shopped(&app).await;
    let two = steps(&["view", "buy"]);
    let day = ("2026-02-12", "2026-02-12");
    let funnel = ask(&app.acme.viewer, json!({ "steps": two }), day).await;
    assert_eq!(
        (counts(&funnel), &funnel["open"]),
        (vec![2, 1], &json!(true))
    );
    let funnel = ask(
        &app.acme.viewer,
        json!({ "steps": two, "by": "period" }),
        day,
    )
    .await;
    assert_eq!(
        (counts(&funnel), &funnel["open"]),
        (vec![2, 0], &json!(false))
    );
    let funnel = ask(
        &app.acme.viewer,
        json!({ "steps": two, "window_hours": 24 }),
        day,
    )
    .await;
    assert_eq!(funnel["open"], false);
}

fn deal(id: &str, stages: &[(&str, &str)], closed: Option<(&str, Outcome)>) -> Deal {
    let at = |text: &str| -> DateTime<Utc> { format!("{text}T12:00:00Z").parse().unwrap() };
    Deal {
        deal_id: id.into(),
        revision: 1,
        pipeline: "sales".into(),
        stage: stages.last().map_or("", |(stage, _)| stage).into(),
        owner: id[..1].into(),
        currency: "EUR".into(),
        amount_minor: 100,
        probability: 50,
        outcome: closed.map_or(Outcome::Open, |(_, outcome)| outcome),
        created_at: at(stages[0].1),
        closed_at: closed.map(|(day, _)| at(day)),
        dims: [("lead_source".to_owned(), "fair".to_owned())].into(),
        entered: stages
            .iter()
            .map(|(stage, day)| ((*stage).to_owned(), at(day)))
            .collect(),
    }
}

async fn sold(app: &TestApp<Analytics>) {
    let deals = vec![
        deal(
            "a1",
            &[
                ("new", "2026-01-05"),
                ("offer", "2026-01-06"),
                ("talk", "2026-02-07"),
            ],
            Some(("2026-02-08", Outcome::Won)),
        ),
        // Leaves the offer out.
        deal(
            "a2",
            &[("new", "2026-01-05"), ("talk", "2026-01-07")],
            Some(("2026-02-01", Outcome::Won)),
        ),
        // Went back to the offer only after the talk.
        deal(
            "b3",
            &[
                ("new", "2026-01-05"),
                ("talk", "2026-01-06"),
                ("offer", "2026-01-07"),
            ],
            Some(("2026-01-08", Outcome::Lost)),
        ),
        deal("b4", &[("new", "2026-02-05")], None),
    ];
    let mut tx = app
        .db()
        .tenant(&TenantScope::new(app.acme.id(), None))
        .await
        .unwrap();
    deals::upsert(&mut tx, "crm", NOW, deals).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn stages_are_counted_in_both_ways_and_by_cohort_or_period() {
    let app = TestApp::<Analytics>::start().await;
    sold(&app).await;
    let steps = json!([{ "stage": "new" }, { "stage": "offer" }, { "stage": "talk" }, { "outcome": "won" }]);
    let january = ("2026-01-01", "2026-01-31");
    for (mode, by, range, expected) in [
        ("all", "cohort", january, [3, 2, 1, 1]),
        ("any", "cohort", january, [3, 2, 3, 2]),
        // In February one deal was made, one came to talk, two were won.
        ("all", "period", ("2026-02-01", "2026-02-28"), [1, 0, 0, 0]),
        ("any", "period", ("2026-02-01", "2026-02-28"), [1, 0, 1, 2]),
    ] {
        let asked = json!({ "steps": steps, "stages": mode, "by": by });
        let funnel = ask(&app.acme.viewer, asked, range).await;
        assert_eq!(counts(&funnel), expected, "{mode} {by}");
    }
    let filter = json!([{ "dimension": "owner", "operator": "in", "values": ["a"] }]);
    let funnel = ask(
        &app.acme.viewer,
        json!({ "steps": steps, "stages": "any", "filters": filter }),
        january,
    )
    .await;
    assert_eq!(counts(&funnel), [2, 1, 2, 2]);
    let filter =
        json!([{ "dimension": "lead_source", "operator": "contains", "values": ["FAIR"] }]);
    let funnel = ask(
        &app.acme.viewer,
        json!({ "steps": steps, "filters": filter }),
        january,
    )
    .await;
    assert_eq!(counts(&funnel), [3, 2, 1, 1]);
    assert_eq!(funnel["steps"][3]["label"], "won");
}

#[tokio::test]
async fn other_tenants_and_those_without_the_right_see_nobody() {
    let app = TestApp::<Analytics>::start().await;
    shopped(&app).await;
    sold(&app).await;
    for steps in [
        steps(&["view", "cart"]),
        json!([{ "stage": "new" }, { "outcome": "won" }]),
    ] {
        let range = ("2026-01-01", "2026-02-28");
        let funnel = ask(&app.globex.owner, json!({ "steps": steps }), range).await;
        assert_eq!(
            (counts(&funnel), &funnel["steps"][1]["step_rate"]),
            (vec![0, 0], &Value::Null)
        );
    }
    let nobody = app
        .anonymous
        .with_token(app.tokens.without_role(Tenant::Acme));
    let asked = json!({ "funnel": { "steps": steps(&["view", "cart"]) }, "range": { "preset": "last_month" } });
    nobody
        .post("/api/funnels/query", &asked)
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn steps_that_make_no_sense_are_refused() {
    let app = TestApp::<Analytics>::start().await;
    let view = json!({ "events": { "event": "view" } });
    for (funnel, pointer, code) in [
        (json!({ "steps": [view] }), "/funnel/steps", "out_of_range"),
        (
            json!({ "steps": vec![&view; 11] }),
            "/funnel/steps",
            "out_of_range",
        ),
        (
            json!({ "steps": [view, { "stage": "new" }] }),
            "/funnel/steps/1",
            "mixed_steps",
        ),
        (json!({ "steps": [view, {}] }), "/funnel/steps/1", "one_of"),
        (
            json!({ "steps": [{ "stage": "a", "outcome": "won" }, { "stage": "b" }] }),
            "/funnel/steps/0",
            "one_of",
        ),
        (
            json!({ "steps": [view, view], "window_hours": 0 }),
            "/funnel/window_hours",
            "out_of_range",
        ),
        (
            json!({ "steps": [view, { "outcome": "kept" }] }),
            "/funnel/steps/1/outcome",
            "invalid_value",
        ),
    ] {
        let asked = json!({ "funnel": funnel, "range": { "preset": "last_month" } });
        let refused = app.acme.viewer.post("/api/funnels/query", asked).await;
        let refused = refused.assert_problem(422, "validation_failed");
        let first = &refused.json()["errors"][0];
        assert_eq!(
            (&first["pointer"], &first["code"]),
            (&json!(pointer), &json!(code))
        );
    }
}
