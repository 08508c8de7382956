//! An import by the real process, which is killed.

use std::{process::Stdio, time::Duration};

use bz_kernel::ExposeSecret;
use bz_testkit::{ISSUER, TestApp, TestDb, wait_until};
use crm::Crm;
use serde_json::json;
use tokio::process::{Child, Command};

use crate::support::{counts, number, upload};

const PATIENCE: Duration = Duration::from_secs(120);
const ROWS: i64 = 22_000;

/// The service as it is deployed, without identity: nobody calls it here.
fn start(database: &TestDb) -> Child {
    Command::new(env!("CARGO_BIN_EXE_crm"))
        .env_clear()
        .envs([
            ("HOST", "127.0.0.1"),
            ("PORT", "0"),
            ("ADMIN_PORT", "0"),
            ("ENVIRONMENT", "development"),
            ("IDENTITY_URL", "http://127.0.0.1:9"),
            ("ISSUER", ISSUER),
            ("PLATFORM_SECRET", "0123456789abcdef0123456789abcdef"),
            ("DATABASE_URL", database.url("crm").expose_secret()),
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn a_killed_import_goes_on_where_it_was_and_has_no_row_twice() {
    let app = TestApp::<Crm>::start().await;
    let rows: String = (0..ROWS)
        .map(|n| format!("lead{n}@engines.example,{n}\n"))
        .collect();
    let begun = upload(&app.acme.member, "", format!("email,last_name\n{rows}"))
        .await
        .assert_status(202);
    let path = begun.header("location").unwrap().to_owned();
    let done = async || number(&app, "SELECT done FROM crm.jobs").await;

    let mut kills = 0;
    while done().await < ROWS {
        let before = done().await;
        let mut process = start(&app.database);
        wait_until(async || done().await > before, PATIENCE).await;
        if done().await < ROWS {
            process.kill().await.unwrap();
            kills += 1;
            let lease = "UPDATE crm.jobs SET due_at = now() WHERE status = 'running'";
            sqlx::query(lease)
                .execute(&mut app.database.admin().await)
                .await
                .unwrap();
        } else {
            process.kill().await.unwrap();
        }
    }
    assert!(kills > 0, "it was done before it could be killed");
    let mut last = start(&app.database);
    let over = async || {
        number(
            &app,
            "SELECT count(*) FROM crm.jobs WHERE status = 'succeeded'",
        )
        .await
            == 1
    };
    let lease = "UPDATE crm.jobs SET due_at = now() WHERE status = 'running'";
    sqlx::query(lease)
        .execute(&mut app.database.admin().await)
        .await
        .unwrap();
    wait_until(over, PATIENCE).await;
    last.kill().await.unwrap();

    let import = app.acme.member.get(&path).await.json();
    assert_eq!(
        (&import["status"], counts(&import)),
        (&json!("succeeded"), [ROWS, 0, 0, 0])
    );
    assert_eq!(number(&app, "SELECT count(*) FROM crm.leads").await, ROWS);
    assert_eq!(
        number(&app, "SELECT count(DISTINCT email_norm) FROM crm.leads").await,
        ROWS
    );
}
