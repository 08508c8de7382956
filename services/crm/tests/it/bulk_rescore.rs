//! Scores of many leads, made anew.

use bz_testkit::{Client, TestApp, TestResponse};
use crm::Crm;
use serde_json::{Value, json};

use crate::{
    events,
    support::{arrange, number, over},
};

const NOBODY: &str = "0199fa3e-0000-7000-8000-000000000000";

/// Leads of acme that nobody has told of, so that only what is ordered scores them.
async fn leads(app: &TestApp<Crm>, count: usize, source: &str) {
    let sql = format!(
        "INSERT INTO crm.leads (tenant_id, id, first_name, source, created_by, created_at, updated_at) \
         SELECT '{{tenant}}', gen_random_uuid(), 'lead', '{source}', gen_random_uuid(), now(), now() \
         FROM generate_series(1, {count}) AS n"
    );
    arrange(app, &sql).await;
}

async fn ids(app: &TestApp<Crm>) -> Vec<String> {
    let mut admin = app.database.admin().await;
    let sql = "SELECT id::text FROM crm.leads ORDER BY id";
    sqlx::query_scalar(sql).fetch_all(&mut admin).await.unwrap()
}

async fn scored(app: &TestApp<Crm>) -> i64 {
    number(
        app,
        "SELECT count(*) FROM crm.leads WHERE score IS NOT NULL",
    )
    .await
}

async fn send(client: &Client, body: Value) -> TestResponse {
    client.post("/api/leads/bulk", body).await
}

fn statuses(answer: &Value) -> Vec<u64> {
    let results = answer["results"].as_array().unwrap();
    results
        .iter()
        .map(|it| it["status"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn all_leads_are_scored_by_a_job_that_says_how_far_it_is_and_once_more_changes_nothing() {
    let mut app = TestApp::<Crm>::start().await;
    leads(&app, 2_300, "fair").await;
    let gone =
        "UPDATE crm.leads SET deleted_at = now() WHERE id = (SELECT id FROM crm.leads LIMIT 1)";
    arrange(&app, gone).await;
    let foreign = json!({ "first_name": "Globex" });
    let foreign = app.globex.member.post("/api/leads", foreign).await;
    foreign.assert_status(201);
    let all = json!({ "action": "rescore" });
    let begun = send(&app.acme.member, all.clone()).await.assert_status(202);
    let job = &begun.json()["job"];
    assert_eq!(
        (&job["kind"], &job["total"], &job["percent"]),
        (&json!("bulk"), &json!(2_299), &json!(0.0))
    );
    // Nothing but this job: what follows the feed would score the other tenant's lead.
    let path = begun.header("location").unwrap().to_owned();
    app.globex
        .member
        .get(&path)
        .await
        .assert_problem(404, "not_found");
    app.start_jobs();
    let job = over(&app.acme.member, &path).await;
    assert_eq!(
        (&job["status"], &job["done"], &job["percent"]),
        (&json!("succeeded"), &json!(2_299), &json!(100.0))
    );
    assert_eq!(
        job["result"],
        json!({ "succeeded": 2_299, "failed": 0, "failures": [] })
    );
    let acme = "SELECT count(*) FROM crm.leads WHERE score IS NOT NULL AND version = 1 AND first_name = 'lead'";
    assert_eq!(number(&app, acme).await, 2_299);
    let history = "SELECT count(*) FROM crm.lead_scores AS s JOIN crm.leads AS l ON l.id = s.lead_id WHERE l.first_name = 'lead'";
    assert_eq!(number(&app, history).await, 2_299);
    let again = send(&app.acme.member, all).await.assert_status(202);
    let path = again.header("location").unwrap().to_owned();
    let job = over(&app.acme.member, &path).await;
    assert_eq!(job["result"]["succeeded"], json!(2_299));
    assert_eq!(number(&app, history).await, 2_299);
    // A score is no change of the lead: nothing is told or written down.
    assert_eq!(events(&app).await, ["lead.created"]);
    let changes = "SELECT count(*) FROM crm.record_changes";
    assert_eq!(number(&app, changes).await, 0);
}

#[tokio::test]
async fn a_few_are_scored_at_once_and_each_says_what_became_of_it() {
    let app = TestApp::<Crm>::start().await;
    leads(&app, 3, "fair").await;
    let known = ids(&app).await;
    arrange(
        &app,
        &format!(
            "UPDATE crm.leads SET deleted_at = now() WHERE id = '{}'",
            known[2]
        ),
    )
    .await;
    let body = json!({ "action": "rescore", "ids": [known[0], known[1], known[2], NOBODY] });
    let viewer = send(&app.acme.viewer, body.clone()).await;
    viewer.assert_problem(403, "forbidden");
    let foreign = send(&app.globex.owner, body.clone())
        .await
        .assert_status(207);
    assert_eq!(statuses(&foreign.json()), [404, 404, 404, 404]);
    assert_eq!(scored(&app).await, 0);
    for _ in 0..2 {
        let answer = send(&app.acme.member, body.clone())
            .await
            .assert_status(207)
            .json();
        let mut all = statuses(&answer);
        all.sort_unstable();
        assert_eq!(
            (all, &answer["count"]),
            (vec![200, 200, 404, 404], &json!(2))
        );
        assert_eq!(scored(&app).await, 2);
    }
    let lead = format!("/api/leads/{}/score", known[0]);
    let score = app.acme.viewer.get(&lead).await.assert_status(200).json();
    assert_eq!(score["stale"], json!(false));
}

#[tokio::test]
async fn only_what_a_filter_lets_through_and_the_user_may_change_is_scored() {
    let mut app = TestApp::<Crm>::start().await;
    leads(&app, 3, "fair").await;
    leads(&app, 2, "web").await;
    let mine = json!({ "first_name": "Mine", "source": "fair" });
    let mine = app
        .acme
        .member
        .post("/api/leads", mine)
        .await
        .assert_status(201)
        .json();
    let fair = json!({ "action": "rescore", "filter": { "field": "source", "value": "fair" } });
    let with = |name: &str, value: Value| {
        let mut body = fair.clone();
        body[name] = value;
        body
    };
    let dry = send(&app.acme.member, with("dry_run", json!(true))).await;
    assert_eq!(dry.assert_status(200).json()["count"], json!(4));
    let other = send(&app.acme.member, with("expected_count", json!(5))).await;
    other.assert_problem(409, "count_mismatch");
    let narrow = "INSERT INTO crm.record_access (tenant_id, role, record_type, reads, writes, updated_at) \
        VALUES ('{tenant}', 'member', 'lead', 'all', 'own', now())";
    arrange(&app, narrow).await;
    let fresh = TestApp::<Crm>::builder().beside(&app).start().await;
    let begun = send(&fresh.acme.member, fair.clone())
        .await
        .assert_status(202);
    assert_eq!(begun.json()["count"], json!(1));
    app.start_jobs();
    let path = begun.header("location").unwrap().to_owned();
    let job = over(&app.acme.member, &path).await;
    assert_eq!(job["result"]["succeeded"], json!(1));
    let left = "SELECT count(*) FROM crm.leads WHERE score IS NULL";
    assert_eq!(number(&app, left).await, 5);
    let mine = format!("/api/leads/{}", mine["id"].as_str().unwrap());
    let mine = app.acme.viewer.get(&mine).await.json();
    assert!(mine["score"].is_number());
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_the_same_key_is_one_job() {
    let app = TestApp::<Crm>::start().await;
    let wrong = [
        json!({ "action": "rescore", "ids": [] }),
        json!({ "action": "rescore", "ids": [NOBODY], "filter": { "all": [] } }),
        json!({ "action": "rescore", "patch": {} }),
        json!({ "action": "rescore", "tags": ["vip"] }),
        json!({ "action": "rescore", "owner_id": NOBODY }),
        json!({ "action": "rescore", "filter": { "field": "colour", "value": 1 } }),
        json!({ "action": "rescore", "expected_count": -1 }),
    ];
    for body in wrong {
        send(&app.acme.member, body)
            .await
            .assert_problem(422, "validation_failed");
    }
    // Only leads have a score.
    for path in [
        "/api/contacts/bulk",
        "/api/companies/bulk",
        "/api/deals/bulk",
    ] {
        let refused = app
            .acme
            .owner
            .post(path, json!({ "action": "rescore" }))
            .await;
        let refused = refused.assert_problem(422, "validation_failed");
        assert_eq!(refused.json()["errors"][0]["pointer"], json!("/action"));
    }
    let once = async || {
        app.acme
            .member
            .post("/api/leads/bulk", json!({ "action": "rescore" }))
            .header("idempotency-key", "one")
            .await
            .assert_status(202)
            .json()
    };
    assert_eq!(once().await["job"]["id"], once().await["job"]["id"]);
    assert_eq!(number(&app, "SELECT count(*) FROM crm.jobs").await, 1);
}
