//! One change of many records.

use bz_testkit::TestApp;
use crm::Crm;
use serde_json::{Value, json};

use crate::{
    events,
    support::{arrange, number, over},
};

const NOBODY: &str = "0199fa3e-0000-7000-8000-000000000000";

async fn lead(app: &TestApp<Crm>, source: &str) -> String {
    let lead = json!({ "first_name": "Ada", "source": source });
    let lead = app
        .acme
        .member
        .post("/api/leads", lead)
        .await
        .assert_status(201)
        .json();
    lead["id"].as_str().unwrap().to_owned()
}

fn statuses(answer: &Value) -> Vec<u64> {
    let results = answer["results"].as_array().unwrap();
    results
        .iter()
        .map(|it| it["status"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn a_few_are_changed_at_once_and_each_says_what_became_of_it() {
    let app = TestApp::<Crm>::start().await;
    let (one, two) = (lead(&app, "fair").await, lead(&app, "web").await);
    let send = async |body: Value| app.acme.member.post("/api/leads/bulk", body).await;
    let ids = json!([one, two, NOBODY]);
    let update =
        json!({ "action": "update", "ids": ids, "patch": { "source": "mail", "title": "Boss" } });
    let answer = send(update.clone()).await.assert_status(207).json();
    assert_eq!(answer["count"], 2);
    let mut all = statuses(&answer);
    all.sort_unstable();
    assert_eq!(all, [200, 200, 404]);
    assert_eq!(
        number(
            &app,
            "SELECT count(*) FROM crm.leads WHERE source = 'mail' AND version = 2"
        )
        .await,
        2
    );
    // Once more changes nothing.
    send(update).await.assert_status(207);
    assert_eq!(
        number(&app, "SELECT count(*) FROM crm.leads WHERE version = 2").await,
        2
    );
    send(json!({ "action": "tag", "ids": [one], "tags": ["vip"] }))
        .await
        .assert_status(207);
    assert_eq!(
        number(&app, "SELECT count(*) FROM crm.record_tags").await,
        1
    );
    send(json!({ "action": "untag", "ids": [one], "tags": ["vip"] }))
        .await
        .assert_status(207);
    assert_eq!(
        number(&app, "SELECT count(*) FROM crm.record_tags").await,
        0
    );
    send(json!({ "action": "assign", "ids": [one], "owner_id": NOBODY }))
        .await
        .assert_status(207);
    assert_eq!(
        number(
            &app,
            "SELECT count(*) FROM crm.leads WHERE owner_id IS NOT NULL"
        )
        .await,
        1
    );
    send(json!({ "action": "delete", "ids": [one, two] }))
        .await
        .assert_status(207);
    let gone = send(json!({ "action": "delete", "ids": [one] }))
        .await
        .assert_status(207)
        .json();
    assert_eq!(statuses(&gone), [404]);
    send(json!({ "action": "restore", "ids": [one, two] }))
        .await
        .assert_status(207);
    assert_eq!(
        number(
            &app,
            "SELECT count(*) FROM crm.leads WHERE deleted_at IS NULL"
        )
        .await,
        2
    );
    let bad = send(json!({ "action": "update", "ids": [one], "patch": { "email": "nonsense" } }))
        .await
        .json();
    assert_eq!(
        (statuses(&bad), &bad["results"][0]["code"]),
        (vec![422], &json!("validation_failed"))
    );
    let told = events(&app).await;
    assert_eq!(
        told.iter().filter(|kind| *kind == "lead.deleted").count(),
        2
    );
}

#[tokio::test]
async fn a_filter_is_a_job_and_one_that_fails_does_not_keep_the_others() {
    let mut app = TestApp::<Crm>::start().await;
    let many = "INSERT INTO crm.leads (tenant_id, id, first_name, source, external_id, created_by, created_at, updated_at) \
        SELECT '{tenant}', gen_random_uuid(), 'lead', 'fair', n, gen_random_uuid(), now(), now() FROM generate_series(1, 450) AS n";
    arrange(&app, many).await;
    lead(&app, "web").await;
    let filter = json!({ "field": "source", "value": "fair" });
    let body = json!({ "action": "update", "filter": filter, "patch": { "source": "mail" }, "expected_count": 450 });
    let begun = app
        .acme
        .member
        .post("/api/leads/bulk", body)
        .await
        .assert_status(202);
    assert_eq!(begun.json()["job"]["total"], 450);
    app.start_jobs();
    let job = over(&app.acme.member, begun.header("location").unwrap()).await;
    assert_eq!(
        (&job["status"], &job["result"]["succeeded"], &job["done"]),
        (&json!("succeeded"), &json!(450), &json!(450))
    );
    assert_eq!(
        number(&app, "SELECT count(*) FROM crm.leads WHERE source = 'mail'").await,
        450
    );
    assert_eq!(
        number(&app, "SELECT count(*) FROM crm.record_changes").await,
        450
    );
    // An id of another system can be given to one only.
    let filter = json!({ "field": "external_id", "op": "in", "value": ["1", "2", "3"] });
    let body = json!({ "action": "update", "filter": filter, "patch": { "external_id": "same" } });
    let begun = app
        .acme
        .member
        .post("/api/leads/bulk", body)
        .await
        .assert_status(202);
    let job = over(&app.acme.member, begun.header("location").unwrap()).await;
    assert_eq!(
        (&job["result"]["succeeded"], &job["result"]["failed"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(job["result"]["failures"][0]["status"], 409);
}

#[tokio::test]
async fn another_number_than_expected_and_a_dry_run_change_nothing() {
    let app = TestApp::<Crm>::start().await;
    let one = lead(&app, "fair").await;
    let body = json!({ "action": "delete", "ids": [one, NOBODY], "expected_count": 2 });
    let answer = app
        .acme
        .member
        .post("/api/leads/bulk", body)
        .await
        .assert_problem(409, "count_mismatch");
    assert_eq!(answer.json()["count"], 1);
    let body = json!({ "action": "delete", "filter": { "all": [] }, "dry_run": true });
    let answer = app
        .acme
        .member
        .post("/api/leads/bulk", body)
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&answer["count"], &answer["dry_run"], answer.get("job")),
        (&json!(1), &json!(true), None)
    );
    assert_eq!(
        number(
            &app,
            "SELECT count(*) FROM crm.leads WHERE deleted_at IS NULL"
        )
        .await,
        1
    );
}

#[tokio::test]
async fn nobody_changes_in_bulk_what_they_may_not_change() {
    let app = TestApp::<Crm>::start().await;
    let boss = app
        .acme
        .owner
        .post("/api/leads", json!({ "first_name": "Boss" }))
        .await
        .json();
    let mine = lead(&app, "fair").await;
    let narrow = "INSERT INTO crm.record_access (tenant_id, role, record_type, reads, writes, updated_at) \
        VALUES ('{tenant}', 'member', 'lead', 'all', 'own', now())";
    arrange(&app, narrow).await;
    let fresh = TestApp::<Crm>::builder().beside(&app).start().await;
    let body = json!({ "action": "delete", "ids": [boss["id"], mine] });
    let answer = fresh
        .acme
        .member
        .post("/api/leads/bulk", body.clone())
        .await
        .assert_status(207)
        .json();
    let mut all = statuses(&answer);
    all.sort_unstable();
    assert_eq!((all, &answer["count"]), (vec![200, 404], &json!(1)));
    fresh
        .acme
        .viewer
        .post("/api/leads/bulk", body.clone())
        .await
        .assert_problem(403, "forbidden");
    let foreign = fresh
        .globex
        .owner
        .post("/api/leads/bulk", body)
        .await
        .assert_status(207)
        .json();
    assert_eq!(statuses(&foreign), [404, 404]);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_the_same_key_is_done_once() {
    let app = TestApp::<Crm>::start().await;
    let wrong = [
        json!({ "action": "delete" }),
        json!({ "action": "delete", "ids": [] }),
        json!({ "action": "delete", "ids": [NOBODY], "filter": { "all": [] } }),
        json!({ "action": "update", "ids": [NOBODY] }),
        json!({ "action": "delete", "ids": [NOBODY], "patch": {} }),
        json!({ "action": "tag", "ids": [NOBODY] }),
        json!({ "action": "delete", "ids": [NOBODY], "owner_id": NOBODY }),
        json!({ "action": "delete", "filter": { "field": "colour", "value": 1 } }),
        json!({ "action": "explode", "ids": [NOBODY] }),
    ];
    for body in wrong {
        app.acme
            .member
            .post("/api/leads/bulk", body)
            .await
            .assert_problem(422, "validation_failed");
    }
    let body = json!({ "action": "delete", "filter": { "all": [] } });
    let send = async || {
        app.acme
            .member
            .post("/api/leads/bulk", &body)
            .header("idempotency-key", "one")
            .await
            .json()
    };
    assert_eq!(send().await["job"]["id"], send().await["job"]["id"]);
    assert_eq!(number(&app, "SELECT count(*) FROM crm.jobs").await, 1);
}
