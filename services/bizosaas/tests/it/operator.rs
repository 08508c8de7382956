use bz_testkit::redis_url;
use serde_json::Value;
use sqlx::Connection;

use crate::support::Installation;

#[tokio::test]
async fn migrating_again_does_nothing_and_a_dry_run_changes_nothing() {
    let installation = Installation::empty().await;
    let planned = installation.print(&["migrate", "--dry-run"]);
    assert!(!planned.contains("\n0 migrations"), "{planned}");
    assert_eq!(schemas(&installation).await, 0);
    let pending = installation.run(&["migrate", "--status"]);
    assert_eq!(pending.status.code(), Some(1), "{pending:?}");

    let applied = last_line(&installation.print(&["migrate"]));
    assert!(!applied.starts_with("0 "), "{applied}");
    assert_eq!(schemas(&installation).await, 5);
    let status = installation.print(&["migrate", "--status"]);
    assert!(!status.contains(" pending "), "{status}");

    let again = installation.print(&["migrate"]);
    assert_eq!(again, "0 migrations applied; every schema is current\n");
    let planned = installation.print(&["migrate", "--dry-run"]);
    assert_eq!(planned, "0 migrations would be applied\n");
}

async fn schemas(installation: &Installation) -> i64 {
    let sql = "SELECT count(*) FROM pg_namespace WHERE nspname IN ('identity', 'ai', 'chat', 'crm', 'analytics')";
    let mut admin = installation.database.admin().await;
    let count = sqlx::query_scalar(sql).fetch_one(&mut admin).await.unwrap();
    admin.close().await.unwrap();
    count
}

fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_doctor_finds_nothing_on_a_good_installation_and_names_what_is_wrong_on_another() {
    let mut installation = Installation::migrated().await;
    installation.set("REDIS_URL", &redis_url());
    let findings: Vec<Value> =
        serde_json::from_str(&installation.print(&["doctor", "--json"])).unwrap();
    assert!(findings.len() >= 10, "{findings:?}");
    for finding in &findings {
        assert_eq!(finding["verdict"], "ok", "{finding}");
    }

    installation.set("CRM_DB_PASSWORD", "not the password");
    let output = installation.run(&["doctor", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let failed: Vec<&Value> = findings
        .iter()
        .filter(|finding| finding["verdict"] == "failed")
        .map(|finding| &finding["check"])
        .collect();
    assert_eq!(failed, ["tenancy of crm"]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(!shown.contains("not the password"), "{shown}");
}

#[tokio::test]
async fn all_that_is_wrong_with_the_configuration_is_said_at_once() {
    let mut installation = Installation::empty().await;
    installation.unset("CRM_DB_PASSWORD");
    installation.unset("PLATFORM_SECRET");
    installation.set("REQUEST_TIMEOUT", "soon");
    installation.set("TENANT_HOSTS", "acme");
    let output = installation.run(&["up"]);
    assert_eq!(output.status.code(), Some(78), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    for name in [
        "CRM_DB_PASSWORD",
        "PLATFORM_SECRET",
        "REQUEST_TIMEOUT",
        "TENANT_HOSTS",
    ] {
        assert_eq!(
            said.matches(&format!("{name}: ")).count(),
            1,
            "{name} in: {said}"
        );
    }
}
