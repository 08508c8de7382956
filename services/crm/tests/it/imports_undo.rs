//! Imports that are taken back.

use bz_testkit::TestApp;
use chrono::TimeDelta;
use crm::Crm;
use serde_json::json;

use crate::support::{counts, imported, number, over};

#[tokio::test]
async fn what_was_imported_is_taken_back_but_not_what_was_changed_since() {
    let mut app = TestApp::<Crm>::start().await;
    let old = json!({ "email": "old@engines.example", "title": "Engineer" });
    let old = app
        .acme
        .member
        .post("/api/leads", old)
        .await
        .assert_status(201)
        .json();
    app.start_jobs();
    let file = "email,title,outcome\nold@engines.example,Boss,won\na@engines.example,A,\nb@engines.example,B,\n";
    let import = imported(&app, "?mode=upsert", file).await;
    assert_eq!(counts(&import), [2, 1, 0, 0]);
    let leads = app.acme.member.get("/api/leads").await.json();
    let b = leads["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["title"] == "B")
        .unwrap();
    let b = format!("/api/leads/{}", b["id"].as_str().unwrap());
    app.acme
        .member
        .patch(&b, json!({ "title": "Better" }))
        .await
        .assert_status(200);

    let path = format!("/api/imports/{}/undo", import["id"].as_str().unwrap());
    let begun = app
        .acme
        .member
        .post(&path, json!({}))
        .await
        .assert_status(202);
    let job = over(&app.acme.member, begun.header("location").unwrap()).await;
    assert_eq!(
        (
            &job["status"],
            &job["result"]["deleted"],
            &job["result"]["restored"]
        ),
        (&json!("succeeded"), &json!(1), &json!(1))
    );
    assert_eq!(job["result"]["left"], 1);
    assert_eq!(
        format!(
            "/api/leads/{}",
            job["result"]["changed_since"][0].as_str().unwrap()
        ),
        b
    );
    let lead = app
        .acme
        .member
        .get(&format!("/api/leads/{}", old["id"].as_str().unwrap()))
        .await
        .json();
    assert_eq!(
        (&lead["title"], &lead["outcome"]),
        (&json!("Engineer"), &json!(null))
    );
    app.acme.member.get(&b).await.assert_status(200);
    assert_eq!(
        number(
            &app,
            "SELECT count(*) FROM crm.leads WHERE deleted_at IS NOT NULL"
        )
        .await,
        1
    );
    // Once more: the same job.
    let again = app
        .acme
        .member
        .post(&path, json!({}))
        .await
        .assert_status(202)
        .json();
    assert_eq!(again["id"], job["id"]);
}

#[tokio::test]
async fn after_three_days_it_is_too_late_and_after_thirty_everything_is_gone() {
    let mut app = TestApp::<Crm>::start().await;
    app.start_jobs();
    let import = imported(&app, "", "email\na@engines.example\nnonsense\n").await;
    app.stop_jobs().await;
    let purge = async |days: i64| {
        let sql = format!(
            "SELECT crm.purge_jobs('{0}'::timestamptz - interval '30 days', '{0}'::timestamptz - interval '3 days', 1000)",
            (app.core.sources.now() + TimeDelta::days(days)).to_rfc3339()
        );
        let mut tx = app.db().system().await.unwrap();
        let deleted: i64 = sqlx::query_scalar(&sql).fetch_one(tx.conn()).await.unwrap();
        tx.commit().await.unwrap();
        deleted
    };
    assert_eq!(purge(2).await, 0);
    assert_eq!(
        number(&app, "SELECT count(*) FROM crm.import_records").await,
        1
    );
    assert_eq!(purge(4).await, 1);
    assert_eq!(
        number(&app, "SELECT count(*) FROM crm.import_records").await,
        0
    );
    assert_eq!(
        number(&app, "SELECT count(*) FROM crm.import_errors").await,
        1
    );
    app.clock.advance(TimeDelta::days(4));
    let path = format!("/api/imports/{}/undo", import["id"].as_str().unwrap());
    app.acme
        .member
        .post(&path, json!({}))
        .await
        .assert_problem(409, "too_late");
    assert_eq!(
        (purge(31).await, purge(31).await, purge(31).await),
        (1, 1, 0)
    );
    assert_eq!(number(&app, "SELECT count(*) FROM crm.jobs").await, 0);
    assert_eq!(number(&app, "SELECT count(*) FROM crm.leads").await, 1);
}
