//! What a request costs the database: turns on the wire, and plans that use the index.

use std::time::Duration;

use bz_testkit::TestApp;
use crm::Crm;
use serde_json::json;
use sqlx::query_scalar;

#[tokio::test]
async fn a_read_costs_two_turns_and_a_create_its_statements_and_two() {
    let app = TestApp::<Crm>::builder().proxy().start().await;
    let create = async || {
        app.acme
            .member
            .post("/api/leads", json!({ "first_name": "Ada" }))
            .await
            .assert_status(201)
    };
    let read = async |path: &str| app.acme.viewer.get(path).await.assert_status(200);
    let proxy = app.proxy.as_ref().unwrap();

    // What a request leaves to do after its answer (ROLLBACK, the pool's own ping) is not counted: nothing of it runs
    // before this thread waits again.
    let settled = async || {
        let idle = async || app.db().pool_status().idle == app.db().pool_status().size;
        bz_testkit::wait_until(idle, Duration::from_secs(5)).await;
        proxy.reset_counts();
    };
    let mut path = String::new();
    // The first time on a connection also prepares the statements; the pool takes its connections in turn.
    for _ in 0..4 {
        path = format!(
            "/api/leads/{}",
            create().await.json()["id"].as_str().unwrap()
        );
        settled().await;
    }
    for _ in 0..4 {
        read(&path).await;
        settled().await;
    }
    // A write leaves no transaction open in which a read could go on.
    create().await;
    settled().await;
    read(&path).await;
    assert_eq!(proxy.turns(), 2, "BEGIN with the tenant, SELECT");
    settled().await;
    create().await;
    assert_eq!(
        proxy.turns(),
        4,
        "BEGIN with the tenant, INSERT, INSERT of the event, COMMIT"
    );
}

#[tokio::test]
async fn hot_queries_use_an_index_that_starts_with_the_tenant() {
    let app = TestApp::<Crm>::start().await;
    let mut admin = app.database.admin().await;
    sqlx::query(
        "INSERT INTO crm.leads (tenant_id, id, first_name, email_norm, created_by, created_at, updated_at) \
         SELECT t, gen_random_uuid(), 'x', n || '@example.com', t, now(), now() \
         FROM unnest($1::uuid[]) AS t, generate_series(1, 5000) AS n",
    )
    .bind([app.acme.id().as_uuid(), app.globex.id().as_uuid()].as_slice())
    .execute(&mut admin)
    .await
    .unwrap();
    sqlx::query("ANALYZE crm.leads")
        .execute(&mut admin)
        .await
        .unwrap();

    for (query, index) in [
        (
            "SELECT * FROM crm.leads WHERE id = '0199fa3e-0000-7000-8000-000000000000'",
            "leads_pkey",
        ),
        (
            "SELECT * FROM crm.leads ORDER BY id DESC LIMIT 21",
            "leads_pkey",
        ),
        (
            "SELECT * FROM crm.leads WHERE status = 'working' ORDER BY id DESC LIMIT 21",
            "leads_status_idx",
        ),
        (
            "SELECT * FROM crm.leads WHERE email_norm = 'a@b.c'",
            "leads_email_idx",
        ),
    ] {
        let mut tx = app.db().tenant(&app.acme.tenant.scope()).await.unwrap();
        let plan: Vec<String> = query_scalar(&format!("EXPLAIN {query}"))
            .fetch_all(tx.conn())
            .await
            .unwrap();
        let plan = plan.join("\n");
        assert!(
            plan.contains(index) && !plan.contains("Seq Scan"),
            "{query}\n{plan}"
        );
    }
}
