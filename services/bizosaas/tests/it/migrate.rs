use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use bz_testkit::{Fault, ROLE_PASSWORD};
use serde_json::Value;
use sqlx::{Executor, PgConnection};

use crate::support::Installation;

const MIGRATORS: [&str; 5] = [
    "IDENTITY_MIGRATOR_PASSWORD",
    "AI_MIGRATOR_PASSWORD",
    "CHAT_MIGRATOR_PASSWORD",
    "CRM_MIGRATOR_PASSWORD",
    "ANALYTICS_MIGRATOR_PASSWORD",
];

/// What the operator holds where an administrator bootstraps.
fn with_migrators(installation: &mut Installation) {
    for variable in MIGRATORS {
        installation.set(variable, ROLE_PASSWORD);
    }
}

async fn owners(admin: &mut PgConnection) -> Vec<String> {
    let sql = "SELECT DISTINCT pg_get_userbyid(relowner)::text FROM pg_class
               WHERE relnamespace = 'crm'::regnamespace";
    sqlx::query_scalar(sql).fetch_all(admin).await.unwrap()
}

#[tokio::test]
async fn after_an_administrators_bootstrap_the_migrators_migrate_without_one() {
    let mut installation = Installation::empty().await;
    with_migrators(&mut installation);
    let nothing_there = installation.run(&["migrate", "--skip-bootstrap"]);
    assert_eq!(nothing_there.status.code(), Some(1), "{nothing_there:?}");

    let said = installation.print(&["migrate", "--bootstrap-only"]);
    assert!(said.contains("are there"), "{said}");
    let mut admin = installation.database.admin().await;
    assert_eq!(owners(&mut admin).await, Vec::<String>::new());

    installation.without_administrator();
    let refused = installation.run(&["migrate", "--bootstrap-only"]);
    assert_eq!(refused.status.code(), Some(78), "{refused:?}");
    let pending = installation.run(&["migrate", "--status", "--json"]);
    assert_eq!(pending.status.code(), Some(1), "{pending:?}");
    let applied = installation.print(&["migrate", "--skip-bootstrap"]);
    assert!(applied.contains("every schema is current"), "{applied}");
    assert_eq!(owners(&mut admin).await, ["crm_owner"]);
    installation.print(&["migrate", "--status"]);
    let findings = installation.print(&["doctor", "--json"]);
    assert!(!findings.contains(r#""failed""#), "{findings}");
}

#[tokio::test]
async fn without_the_migrators_passwords_each_missing_one_is_named() {
    let mut installation = Installation::empty().await;
    installation.without_administrator();
    let refused = installation.run(&["migrate", "--skip-bootstrap"]);
    assert_eq!(refused.status.code(), Some(78), "{refused:?}");
    let said = String::from_utf8(refused.stderr).unwrap();
    for variable in MIGRATORS {
        assert!(said.contains(variable), "{said}");
    }
}

#[tokio::test]
async fn the_printed_bootstrap_is_what_an_administrator_has_to_run_and_holds_no_password() {
    let mut installation = Installation::empty().await;
    with_migrators(&mut installation);
    let sql = installation.print(&["migrate", "--bootstrap-sql"]);
    assert!(!sql.contains("SCRAM"), "{sql}");
    assert!(!sql.contains("{{schema}}"), "{sql}");
    let mut admin = installation.database.admin().await;
    for _ in 0..2 {
        admin.execute(sql.as_str()).await.unwrap();
    }
    // The other tests of the server have set the passwords, or this does; it makes nothing else.
    let planned = installation.print(&["migrate", "--dry-run"]);
    assert!(!planned.contains("would be created"), "{planned}");
    installation.print(&["migrate", "--bootstrap-only"]);
    installation.without_administrator();
    installation.print(&["migrate", "--skip-bootstrap"]);
}

#[tokio::test]
async fn the_status_tells_scripts_the_levels_of_database_and_release() {
    let installation = Installation::migrated().await;
    let status =
        |run: &std::process::Output| -> Value { serde_json::from_slice(&run.stdout).unwrap() };
    let current = installation.run(&["migrate", "--status", "--json"]);
    assert_eq!(current.status.code(), Some(0));
    let document = status(&current);
    assert_eq!(document["current"], true);
    assert_eq!(document["release"], env!("CARGO_PKG_VERSION"));
    let schemas = document["schemas"].as_array().unwrap();
    assert_eq!(schemas.len(), 5);
    for schema in schemas {
        assert_eq!(schema["state"], "current", "{schema}");
        assert_eq!(schema["level"], schema["release_level"], "{schema}");
    }

    let mut admin = installation.database.admin().await;
    let newer = "INSERT INTO crm._sqlx_migrations VALUES (9999, 'later', now(), true, '', 0)";
    admin.execute(newer).await.unwrap();
    let run = installation.run(&["migrate", "--status", "--json"]);
    assert_eq!(run.status.code(), Some(0), "a newer schema can be served");
    assert_eq!(crm(&status(&run))["state"], "newer");
    assert_eq!(crm(&status(&run))["level"], 9999);

    admin
        .execute("DELETE FROM crm._sqlx_migrations WHERE version > 100")
        .await
        .unwrap();
    let run = installation.run(&["migrate", "--status", "--json"]);
    assert_eq!(run.status.code(), Some(1));
    assert_eq!(crm(&status(&run))["state"], "pending");
}

fn crm(status: &Value) -> Value {
    let mut schemas = status["schemas"].as_array().unwrap().iter();
    let crm = schemas.find(|schema| schema["schema"] == "crm");
    crm.unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migrator_that_starts_before_the_database_waits_for_it_and_says_so_once() {
    let mut installation = Installation::empty().await;
    let proxy = installation.database.proxy().await;
    proxy.set(Fault::Refuse).await;
    installation.through(&proxy);
    let mut waiting = installation.start(&["migrate", "--wait", "60"]);
    let mut said = BufReader::new(waiting.stderr.take().unwrap()).lines();
    let first = said.next().unwrap().unwrap();
    assert!(first.contains("waiting for the database"), "{first}");
    proxy.set(Fault::Pass).await;
    let rest: Vec<String> = said.map(Result::unwrap).collect();
    assert_eq!(rest, ["bizosaas: the database answers"]);
    assert!(waiting.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migrator_waits_no_longer_than_it_is_told_and_not_at_all_for_a_wrong_password() {
    let mut installation = Installation::empty().await;
    let proxy = installation.database.proxy().await;
    proxy.set(Fault::Refuse).await;
    installation.through(&proxy);
    let began = Instant::now();
    let ended = installation.run(&["migrate", "--wait", "1"]);
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(began.elapsed() < Duration::from_secs(10));

    proxy.set(Fault::Pass).await;
    let url = installation.variable("DATABASE_URL");
    let wrong = url.replacen("postgres://postgres:", "postgres://postgres:not-", 1);
    assert_ne!(url, wrong);
    installation.set("DATABASE_URL", &wrong);
    let began = Instant::now();
    let refused = installation.run(&["migrate", "--wait", "60"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(began.elapsed() < Duration::from_secs(20));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("password authentication failed"), "{said}");
    assert!(!said.contains("waiting"), "{said}");
}
