//! When a tenant is gone for good, its rows go.

use std::time::Duration;

use bz_kernel::platform;
use bz_testkit::{IdentityFeed, Tenant, TestApp, checks, rows_of, wait_until};
use crm::Crm;
use serde_json::json;

use crate::events;

const PATIENCE: Duration = Duration::from_secs(20);

async fn following(crm: &TestApp<Crm>, feed: &IdentityFeed) -> TestApp<Crm> {
    let mut app = TestApp::<Crm>::builder()
        .beside(crm)
        .sibling(&platform::IDENTITY, &feed.url)
        .start()
        .await;
    app.start_jobs();
    app
}

async fn cursor(app: &TestApp<Crm>) -> Option<String> {
    sqlx::query_scalar("SELECT cursor FROM crm.feed_cursors WHERE source = 'identity'")
        .fetch_optional(&mut app.database.admin().await)
        .await
        .unwrap()
}

/// The other tenant's rows, but for what the jobs work on meanwhile.
async fn others_rows(app: &TestApp<Crm>) -> Vec<(String, i64)> {
    let worked_on = [
        "automation_runs",
        "webhook_deliveries",
        "search_queue",
        "search_embeddings",
        "search_backlog",
    ];
    let mut rows = rows_of(&app.database, "crm", Tenant::Globex).await;
    rows.retain(|(table, _)| !worked_on.contains(&table.as_str()) && !table.contains("scor"));
    rows
}

#[tokio::test]
async fn a_deleted_tenants_rows_go_and_the_other_tenants_stay_and_once_more_does_no_harm() {
    let crm = TestApp::<Crm>::start().await;
    for member in [&crm.acme.member, &crm.globex.member] {
        for n in 0..3 {
            let lead = json!({ "first_name": "Ada", "title": n.to_string() });
            let made = member
                .post("/api/leads", lead)
                .header("idempotency-key", &n.to_string());
            made.await.assert_status(201);
            let todo = member.post("/api/todos", json!({ "title": "call" }));
            todo.await.assert_status(201);
        }
    }
    // A row of each tenant in every other table.
    for tenant in [Tenant::Acme, Tenant::Globex] {
        checks::isolation::fill(&crm.database, "crm", tenant).await;
    }
    let told = events(&crm).await.len();
    let others = others_rows(&crm).await;
    assert!(others.iter().all(|(_, count)| *count > 0), "{others:?}");

    let feed = IdentityFeed::of(&crm.database).await;
    let mut first = following(&crm, &feed).await;
    feed.tell_deleted(Tenant::Acme).await;
    let gone = async || {
        let rows = rows_of(&crm.database, "crm", Tenant::Acme).await;
        rows.iter().all(|(_, count)| *count == 0)
    };
    wait_until(gone, PATIENCE).await;
    wait_until(async || cursor(&first).await.is_some(), PATIENCE).await;
    assert_eq!(others_rows(&crm).await, others);
    // What happened is still told: it goes by its age.
    assert_eq!(events(&crm).await.len(), told);
    first.stop_jobs().await;

    // Once more from the beginning, as after a crash before the position was stored.
    let forget = "DELETE FROM crm.feed_cursors";
    sqlx::query(forget)
        .execute(&mut crm.database.admin().await)
        .await
        .unwrap();
    let second = following(&crm, &feed).await;
    wait_until(async || cursor(&second).await.is_some(), PATIENCE).await;
    assert_eq!(others_rows(&crm).await, others);
}
