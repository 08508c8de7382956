//! What is kept of answers: never older than the last write, never another tenant's.

use analytics::Analytics;
use analytics::query::Query;
use bz_testkit::{Tenant, TestApp, redis_url, wait_until};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::time::Duration;

use crate::metrics::{ask, rows, values};
use crate::metrics_facts::facts;

fn question() -> Value {
    json!({ "metrics": ["google-ads.clicks"], "range": { "from": "2026-02-10", "to": "2026-02-10" } })
}

/// What every writer does in its transaction.
async fn bump(admin: &mut PgConnection, tenant: Tenant) {
    sqlx::query(
        "INSERT INTO analytics.tenant_data (tenant_id, version) VALUES ($1, 1) \
         ON CONFLICT (tenant_id) DO UPDATE SET version = tenant_data.version + 1",
    )
    .bind(tenant.id().as_uuid())
    .execute(admin)
    .await
    .unwrap();
}

async fn clicks(admin: &mut PgConnection, campaign: &str, clicks: i64) {
    let dims = json!({ "campaign": campaign });
    facts(
        admin,
        &[(
            "google-ads",
            "2026-02-10",
            "",
            dims,
            json!({ "clicks": clicks }),
        )],
    )
    .await;
    bump(admin, Tenant::Acme).await;
}

fn told(frame: &Value) -> (Option<&str>, &Value) {
    (values(&rows(frame)[0])[0], &frame["meta"]["cached"])
}

#[tokio::test]
async fn an_answer_is_kept_until_something_is_written() {
    let app = TestApp::<Analytics>::start().await;
    let mut admin = app.database.admin().await;
    clicks(&mut admin, "a", 5).await;
    for cached in [false, true, true] {
        assert_eq!(
            told(&ask(&app.acme.viewer, question()).await),
            (Some("5"), &json!(cached))
        );
    }
    clicks(&mut admin, "b", 2).await;
    for cached in [false, true] {
        assert_eq!(
            told(&ask(&app.acme.viewer, question()).await),
            (Some("7"), &json!(cached))
        );
    }
    // The same question in other words is the same; another one is not.
    let mut other = question();
    other["range"] = json!({ "from": "2026-02-10", "to": "2026-02-10" });
    other["timezone"] = json!("UTC");
    assert_eq!(
        told(&ask(&app.acme.member, other.clone()).await),
        (Some("7"), &json!(true))
    );
    other["filters"] = json!([{ "dimension": "campaign", "operator": "in", "values": ["b"] }]);
    assert_eq!(
        told(&ask(&app.acme.viewer, other).await),
        (Some("2"), &json!(false))
    );
}

#[tokio::test]
async fn what_is_kept_for_one_tenant_is_not_answered_to_another() {
    let app = TestApp::<Analytics>::builder()
        .redis(redis_url())
        .start()
        .await;
    let mut admin = app.database.admin().await;
    clicks(&mut admin, "a", 5).await;
    bump(&mut admin, Tenant::Globex).await;
    for _ in 0..2 {
        assert_eq!(told(&ask(&app.acme.viewer, question()).await).0, Some("5"));
    }
    assert_eq!(
        told(&ask(&app.globex.viewer, question()).await),
        (Some("0"), &json!(false))
    );
    assert_eq!(
        told(&ask(&app.globex.viewer, question()).await),
        (Some("0"), &json!(true))
    );
}

#[tokio::test]
async fn another_process_finds_the_answer_in_redis_until_something_is_written() {
    let app = TestApp::<Analytics>::builder()
        .redis(redis_url())
        .start()
        .await;
    let mut admin = app.database.admin().await;
    clicks(&mut admin, "a", 5).await;
    let first = ask(&app.acme.viewer, question()).await;
    assert_eq!(told(&first), (Some("5"), &json!(false)));
    app.core.tasks.close();
    app.core.tasks.wait().await;
    let other = TestApp::<Analytics>::builder()
        .redis(redis_url())
        .beside(&app)
        .start()
        .await;
    let second = ask(&other.acme.viewer, question()).await;
    assert_eq!(told(&second), (Some("5"), &json!(true)));
    assert_eq!(second["rows"], first["rows"]);
    clicks(&mut admin, "b", 2).await;
    assert_eq!(
        told(&ask(&other.acme.viewer, question()).await),
        (Some("7"), &json!(false))
    );
}

#[tokio::test]
async fn a_period_that_grows_older_is_told_as_it_is_now() {
    let app = TestApp::<Analytics>::start().await;
    let mut admin = app.database.admin().await;
    clicks(&mut admin, "a", 5).await;
    let mut question = question();
    question["range"] = json!({ "from": "2026-02-10", "to": "2026-03-02" });
    let meta = async || ask(&app.acme.viewer, question.clone()).await["meta"].clone();
    let first = meta().await;
    assert_eq!(
        (&first["partial_period"], &first["as_of"]),
        (&json!(true), &json!("2026-03-02T09:00:00Z"))
    );
    app.clock.advance(chrono::TimeDelta::minutes(5));
    let later = meta().await;
    assert_eq!(
        (&later["cached"], &later["as_of"]),
        (&json!(true), &json!("2026-03-02T09:05:00Z"))
    );
    app.clock.advance(chrono::TimeDelta::days(1));
    assert_eq!(meta().await["partial_period"], json!(false));
}

#[tokio::test]
async fn several_questions_cost_three_turns_and_what_is_kept_two() {
    let app = TestApp::<Analytics>::builder()
        .env("DB_POOL_SIZE", "1")
        .proxy()
        .start()
        .await;
    let proxy = app.proxy.as_ref().unwrap();
    let engine = analytics::query::Engine::new(app.core.clone());
    let questions = |day: &str| -> Vec<Query> {
        let asked = [
            "google-ads.cost",
            "events.count",
            "orders.customers",
            "deals.open",
            "paid-media.roas",
        ];
        let questions = asked.iter().map(|key| {
            json!({ "metrics": [key], "range": { "from": day, "to": "2026-03-01" }, "compare": "previous_period", "totals": true })
        });
        questions
            .map(|question| serde_json::from_value(question).unwrap())
            .collect()
    };
    let scope = app.acme.tenant.scope();
    engine
        .answer_all(&scope, &questions("2026-02-01"))
        .await
        .unwrap();
    let quiet = async || {
        wait_until(
            async || app.db().pool_status().idle == 1,
            Duration::from_secs(5),
        )
        .await;
        proxy.reset_counts();
    };
    quiet().await;
    let fresh = engine
        .answer_all(&scope, &questions("2026-02-02"))
        .await
        .unwrap();
    assert_eq!(
        proxy.turns(),
        3,
        "BEGIN with the tenant, its state, one count of everything"
    );
    assert!(
        fresh
            .frames
            .iter()
            .all(|frame| !frame.as_ref().unwrap().meta.cached)
    );
    quiet().await;
    let kept = engine
        .answer_all(&scope, &questions("2026-02-02"))
        .await
        .unwrap();
    assert_eq!(proxy.turns(), 2, "BEGIN with the tenant, its state");
    assert!(
        kept.frames
            .iter()
            .all(|frame| frame.as_ref().unwrap().meta.cached)
    );
    assert_eq!(
        (fresh.tag.as_str(), fresh.tag.clone()),
        (
            kept.tag.as_str(),
            engine.tag(&scope, &questions("2026-02-02")).await.unwrap()
        )
    );
}

#[tokio::test]
async fn a_question_that_cannot_be_answered_leaves_the_others_alone() {
    let app = TestApp::<Analytics>::start().await;
    let mut admin = app.database.admin().await;
    let dims = |campaign: &str| json!({ "campaign": campaign });
    facts(
        &mut admin,
        &[
            (
                "google-ads",
                "2026-02-10",
                "EUR",
                dims("a"),
                json!({ "cost": 5, "clicks": 1 }),
            ),
            (
                "google-ads",
                "2026-02-10",
                "USD",
                dims("b"),
                json!({ "cost": 5, "clicks": 1 }),
            ),
        ],
    )
    .await;
    let questions: Vec<Query> = [
        "google-ads.clicks",
        "google-ads.nothing",
        "google-ads.cost",
        "events.count",
    ]
    .iter()
    .map(|key| {
        serde_json::from_value(
            json!({ "metrics": [key], "range": { "from": "2026-02-10", "to": "2026-02-10" } }),
        )
        .unwrap()
    })
    .collect();
    let mut tx = app.db().snapshot(&app.acme.tenant.scope()).await.unwrap();
    let answers = analytics::query::run_many(
        &mut tx,
        bz_testkit::NOW,
        &questions,
        analytics::query::Effort::AtOnce,
    )
    .await;
    let told: Vec<Result<String, String>> = answers
        .iter()
        .map(|answer| match answer {
            Ok(frame) => Ok(frame.rows[0].values[0].unwrap().to_string()),
            Err(problem) => Err(problem.document().errors[0].code.clone().into_owned()),
        })
        .collect();
    assert_eq!(
        told,
        [
            Ok("2".to_owned()),
            Err("unknown_metric".to_owned()),
            Err("mixed_currencies".to_owned()),
            Ok("0".to_owned())
        ]
    );
}
