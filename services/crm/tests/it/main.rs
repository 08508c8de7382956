//! The CRM through its real routes, on a real database, with the weak login.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod automations;
mod crm_webhooks;
mod erasure;
mod leads;
mod performance;
mod receiver;
mod search;
mod search_meaning;
mod search_performance;
mod search_sight;
mod todos;
mod whole_service;

use bz_testkit::TestApp;
use crm::Crm;

/// What the outbox says happened, oldest first.
async fn events(app: &TestApp<Crm>) -> Vec<String> {
    let mut admin = app.database.admin().await;
    sqlx::query_scalar("SELECT kind FROM crm.events ORDER BY txid, seq")
        .fetch_all(&mut admin)
        .await
        .unwrap()
}
