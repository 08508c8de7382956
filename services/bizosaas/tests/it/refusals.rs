//! What is no good backup is not restored, and what is not whole is not called so.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use bz_testkit::wait_until;
use sqlx::Executor;

use crate::backup::{BackupFile, drop_database, further_database};
use crate::support::Installation;

/// Runs a command that must be refused and answers what it says.
#[track_caller]
fn refused(installation: &Installation, arguments: &[&str]) -> String {
    let output = installation.run(arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

async fn scratch_databases(installation: &Installation) -> i64 {
    let sql = "SELECT count(*) FROM pg_database WHERE starts_with(datname, 'bizosaas_verify_')
               AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = pg_database.datname)";
    let mut admin = installation.database.admin().await;
    sqlx::query_scalar(sql).fetch_one(&mut admin).await.unwrap()
}

async fn exists(installation: &Installation, database: &str) -> bool {
    let sql = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)";
    let mut admin = installation.database.admin().await;
    let found = sqlx::query_scalar(sql).bind(database);
    found.fetch_one(&mut admin).await.unwrap()
}

#[tokio::test]
async fn a_damaged_file_is_refused_before_anything_is_touched() {
    let installation = Installation::migrated().await;
    let file = BackupFile::new();
    installation.print(&["backup", "--out", file.text()]);
    let again = refused(&installation, &["backup", "--out", file.text()]);
    assert!(again.contains("never replaced"), "{again}");
    let whole = std::fs::read(file.path()).unwrap();
    let name = further_database(&installation);
    let mut changed = whole.clone();
    let middle = whole.len() / 2;
    changed[middle] ^= 1;
    for damaged in [&changed[..], &whole[..middle], b"not a backup"] {
        std::fs::write(file.path(), damaged).unwrap();
        for arguments in [vec!["--verify"], vec!["--into", &name]] {
            let arguments = [vec!["restore", "--in", file.text()], arguments].concat();
            let said = refused(&installation, &arguments);
            assert!(said.contains("is damaged or no backup"), "{said}");
        }
    }
    assert!(!exists(&installation, &name).await);
}

#[tokio::test]
async fn a_database_with_anything_in_it_is_not_filled() {
    let installation = Installation::migrated().await;
    let file = BackupFile::new();
    installation.print(&["backup", "--out", file.text()]);
    let said = refused(&installation, &["restore", "--in", file.text()]);
    assert!(said.contains("is not empty"), "{said}");
    let said = refused(
        &installation,
        &["restore", "--in", file.text(), "--into", "a b"],
    );
    assert!(said.contains("is not a name"), "{said}");

    // An empty one that exists is filled, with the extension there or not.
    let name = further_database(&installation);
    let mut admin = installation.database.admin().await;
    let sql = format!("CREATE DATABASE {name}");
    admin.execute(sql.as_str()).await.unwrap();
    let mut empty = installation.connect(&name, None).await;
    empty.execute("CREATE EXTENSION vector").await.unwrap();
    installation.print(&["restore", "--in", file.text(), "--into", &name]);
    let said = refused(
        &installation,
        &["restore", "--in", file.text(), "--into", &name],
    );
    assert!(said.contains("is not empty"), "{said}");
    drop_database(&installation, &name).await;
}

#[tokio::test]
async fn a_backup_of_a_newer_release_is_refused() {
    let installation = Installation::migrated().await;
    let mut admin = installation.database.admin().await;
    let newer = "INSERT INTO crm._sqlx_migrations VALUES (9999, 'later', now(), true, '', 0)";
    admin.execute(newer).await.unwrap();
    let file = BackupFile::new();
    installation.print(&["backup", "--out", file.text()]);
    let said = refused(&installation, &["restore", "--in", file.text(), "--verify"]);
    assert!(
        said.contains("9999") && said.contains("does not know"),
        "{said}"
    );
}

#[tokio::test]
async fn a_verification_finds_what_does_not_keep_tenants_apart_and_leaves_nothing_behind() {
    let installation = Installation::migrated().await;
    let mut admin = installation.database.admin().await;
    for tenant in [1, 2, 2] {
        let sql = format!(
            "INSERT INTO crm.todos (tenant_id, id, title, created_by, created_at, updated_at)
             VALUES ('00000000-0000-0000-0000-00000000000{tenant}', gen_random_uuid(), 'call Ada', gen_random_uuid(), now(), now())"
        );
        admin.execute(sql.as_str()).await.unwrap();
    }
    let good = BackupFile::new();
    installation.print(&["backup", "--out", good.text()]);
    installation.print(&["restore", "--in", good.text(), "--verify"]);

    admin
        .execute(
            "ALTER TABLE chat.messages NO FORCE ROW LEVEL SECURITY;
             CREATE POLICY everybody ON crm.todos FOR SELECT TO crm_api USING (true)",
        )
        .await
        .unwrap();
    let file = BackupFile::new();
    installation.print(&["backup", "--out", file.text()]);
    let said = refused(&installation, &["restore", "--in", file.text(), "--verify"]);
    for wrong in [
        "chat.messages does not FORCE",
        "crm.todos.everybody is a permissive policy",
        "crm.todos: crm_api sees rows of a tenant that is not its own",
    ] {
        assert!(said.contains(wrong), "{wrong} in {said}");
    }
    wait_until(
        async || scratch_databases(&installation).await == 0,
        Duration::from_secs(30),
    )
    .await;
}

#[tokio::test]
async fn who_may_not_read_every_row_makes_no_backup_and_old_programs_make_none_either() {
    let mut installation = Installation::migrated().await;
    let file = BackupFile::new();
    let url = installation.variable("DATABASE_URL");
    let weak = installation.database.url("crm");
    installation.set(
        "DATABASE_URL",
        bz_kernel::ExposeSecret::expose_secret(&weak),
    );
    let said = refused(&installation, &["backup", "--out", file.text()]);
    assert!(said.contains("BYPASSRLS"), "{said}");

    installation.set("DATABASE_URL", &url);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(installation.database.name());
    std::fs::create_dir(&folder).unwrap();
    let program = folder.join("pg_dump");
    let script = "#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n";
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    installation.set("PG_BIN", folder.to_str().unwrap());
    let said = refused(&installation, &["backup", "--out", file.text()]);
    assert!(said.contains("pg_dump is of Postgres 9"), "{said}");

    // One that fails half-way leaves no file that looks like a backup.
    let script = "#!/bin/sh\n[ \"$1\" = --version ] && echo 'pg_dump (PostgreSQL) 99.1' && exit\necho half\nexit 3\n";
    std::fs::write(&program, script).unwrap();
    let said = refused(&installation, &["backup", "--out", file.text()]);
    assert!(said.contains("pg_dump failed"), "{said}");
    let mut partial = file.path().as_os_str().to_owned();
    partial.push(".partial");
    assert!(!file.path().exists() && !Path::new(&partial).exists());
    std::fs::remove_dir_all(folder).unwrap();
}
