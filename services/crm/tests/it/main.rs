//! The CRM through its real routes, on a real database, with the weak login.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod erasure;
mod leads;
mod performance;
mod scoring;
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
