//! What the tests of imports, exports and bulk changes share.

use std::time::Duration;

use axum::http::Method;
use bz_testkit::{Client, Tenant, TestApp, TestResponse, wait_until};
use crm::Crm;
use serde_json::Value;

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Sends a file to be imported.
pub(crate) async fn upload(client: &Client, query: &str, file: impl Into<Vec<u8>>) -> TestResponse {
    let request = client.request(Method::POST, &format!("/api/leads/import{query}"));
    request.body("text/csv", file.into()).await
}

/// Waits until an import or a job is over, and answers it.
pub(crate) async fn over(client: &Client, path: &str) -> Value {
    let look = async || {
        let job = client.get(path).await.assert_status(200).json();
        let status = job["status"].as_str().unwrap().to_owned();
        ["succeeded", "failed", "cancelled"].contains(&status.as_str())
    };
    wait_until(look, PATIENCE).await;
    client.get(path).await.json()
}

/// Imports a file, with the jobs running, and answers the import at its end.
pub(crate) async fn imported(app: &TestApp<Crm>, query: &str, file: impl Into<Vec<u8>>) -> Value {
    let member = &app.acme.member;
    let begun = upload(member, query, file).await.assert_status(202);
    let path = begun.header("location").unwrap().to_owned();
    over(member, &path).await
}

/// What became of the rows: created, updated, skipped, failed.
pub(crate) fn counts(import: &Value) -> [i64; 4] {
    let counts =
        ["created", "updated", "skipped", "failed"].map(|name| import[name].as_i64().unwrap());
    assert_eq!(
        counts.iter().sum::<i64>(),
        import["rows_total"].as_i64().unwrap(),
        "{import}"
    );
    counts
}

/// Runs a statement as the superuser.
pub(crate) async fn arrange(app: &TestApp<Crm>, sql: &str) {
    let sql = sql.replace("{tenant}", &Tenant::Acme.id().to_string());
    let mut admin = app.database.admin().await;
    sqlx::raw_sql(&sql).execute(&mut admin).await.unwrap();
}

/// A number out of the database.
pub(crate) async fn number(app: &TestApp<Crm>, sql: &str) -> i64 {
    let mut admin = app.database.admin().await;
    sqlx::query_scalar(sql).fetch_one(&mut admin).await.unwrap()
}

/// Defines a field of acme's own.
pub(crate) async fn custom_field(
    app: &TestApp<Crm>,
    key: &str,
    label: &str,
    kind: &str,
    unique: bool,
) {
    let sql = format!(
        "INSERT INTO crm.custom_fields (tenant_id, id, record_type, key, label, type, is_unique, created_at, updated_at) \
         VALUES ('{{tenant}}', gen_random_uuid(), 'lead', '{key}', '{label}', '{kind}', {unique}, now(), now())"
    );
    arrange(app, &sql).await;
}
