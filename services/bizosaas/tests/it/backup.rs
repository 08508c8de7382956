//! Backups that are made while others write, and what is made of them.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bz_kernel::Rng;
use bz_kernel::platform::CRM;
use bz_testkit::wait_until;
use serde_json::{Value, json};
use sqlx::{Executor, PgConnection};
use tokio::task::JoinSet;

use crate::support::{Installation, PASSWORD, User};

/// A file for one test's backup; gone with the value.
pub(crate) struct BackupFile(PathBuf);

impl BackupFile {
    pub(crate) fn new() -> Self {
        let unique: [u8; 8] = Rng::system().bytes();
        let name = format!("backup-{:x}.tar", u64::from_le_bytes(unique));
        Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// Reads one file of the backup with the system's own program.
    fn part(&self, name: &str) -> String {
        let run = Command::new("tar")
            .args(["-xOf", self.text(), name])
            .output()
            .unwrap();
        assert!(run.status.success(), "{run:?}");
        String::from_utf8(run.stdout).unwrap()
    }
}

impl Drop for BackupFile {
    fn drop(&mut self) {
        let _none_there = std::fs::remove_file(&self.0);
    }
}

/// A name for a further database; what a killed test leaves is dropped by a later run.
pub(crate) fn further_database(installation: &Installation) -> String {
    format!("{}_restored", installation.database.name())
}

pub(crate) async fn drop_database(installation: &Installation, name: &str) {
    let mut admin = installation.database.admin().await;
    let sql = format!("DROP DATABASE {name} WITH (FORCE)");
    admin.execute(sql.as_str()).await.unwrap();
}

async fn rows(conn: &mut PgConnection) -> BTreeMap<String, i64> {
    let sql = "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relkind = 'r' AND n.nspname IN ('identity', 'ai', 'chat', 'crm', 'analytics')";
    let tables: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut *conn).await.unwrap();
    let mut rows = BTreeMap::new();
    for table in tables {
        let sql = format!("SELECT count(*) FROM {table}");
        let count = sqlx::query_scalar(&sql).fetch_one(&mut *conn).await;
        rows.insert(table, count.unwrap());
    }
    rows
}

/// Creates leads until told to stop; answers how many.
async fn write(user: Arc<User>, stop: Arc<AtomicBool>, written: Arc<AtomicUsize>) {
    let api = user.api.on_own_connections(true);
    while !stop.load(Ordering::Relaxed) {
        let lead = api.post(&CRM, "/api/leads", json!({ "first_name": "Grace" }));
        lead.await.with_status(201);
        written.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_while_others_write_is_one_moment_and_restores_to_a_platform_that_works() {
    let mut installation = Installation::migrated().await;
    // Backup, restore and services share the machine's cores: a write may be slow, it may not be refused.
    installation.set("DB_ACQUIRE_TIMEOUT", "20s");
    installation.set("REQUEST_TIMEOUT", "30s");
    let platform = installation.up().await;
    let ada = Arc::new(User::register(&installation.anonymous(), "Ada").await);
    let bob = Arc::new(User::register(&installation.anonymous(), "Bob").await);
    let (stop, written) = (Arc::default(), Arc::<AtomicUsize>::default());
    let mut writers = JoinSet::new();
    for user in [&ada, &ada, &bob, &bob] {
        writers.spawn(write(
            Arc::clone(user),
            Arc::clone(&stop),
            Arc::clone(&written),
        ));
    }
    let enough = async || written.load(Ordering::Relaxed) > 50;
    wait_until(enough, Duration::from_secs(20)).await;
    let file = BackupFile::new();
    let before = written.load(Ordering::Relaxed);
    let said = installation.print(&["backup", "--out", file.text(), "--json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    let after = written.load(Ordering::Relaxed);
    stop.store(true, Ordering::Relaxed);
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
    assert!(after > before, "nobody waited for the backup");

    installation.print(&["restore", "--in", file.text(), "--verify"]);
    let name = further_database(&installation);
    installation.print(&["restore", "--in", file.text(), "--into", &name]);
    let mut restored = installation.connect(&name, None).await;
    let found = rows(&mut restored).await;
    let manifest: Value = serde_json::from_str(&file.part("manifest.json")).unwrap();
    for (table, rows) in &found {
        assert_eq!(manifest["tables"][table]["rows"], *rows, "{table}");
    }
    assert_eq!(said["rows"], found.values().sum::<i64>());
    // What is written in one transaction is there together or not at all.
    let leads = found["crm.leads"];
    let counted = i64::try_from(before).unwrap()..=i64::try_from(after + 4).unwrap();
    assert!(counted.contains(&leads), "{leads} of {counted:?}");
    assert_eq!(found["crm.events"], leads);

    one_tenant_only(&installation, &name, &ada).await;
    platform.terminate();
    platform.ended().await;
    works_on(&mut installation, &name, &ada).await;
    drop_database(&installation, &name).await;
}

/// The service's role sees the rows of the tenant that it names, and without one nothing.
async fn one_tenant_only(installation: &Installation, database: &str, user: &User) {
    let mut crm = installation.connect(database, Some("crm_api")).await;
    let count =
        "SELECT count(*), count(*) FILTER (WHERE tenant_id = $1::text::uuid) FROM crm.leads";
    sqlx::query(count)
        .bind(&user.tenant_id)
        .fetch_one(&mut crm)
        .await
        .expect_err("no tenant was named");
    let sql = format!("SET app.tenant_id = '{}'", user.tenant_id);
    crm.execute(sql.as_str()).await.unwrap();
    let (seen, own): (i64, i64) = sqlx::query_as(count)
        .bind(&user.tenant_id)
        .fetch_one(&mut crm)
        .await
        .unwrap();
    assert!(own > 0 && seen == own, "{seen} seen, {own} own");
}

/// The user logs in to the restored platform, sees the leads and writes one that is counted.
async fn works_on(installation: &mut Installation, database: &str, user: &User) {
    let url = installation.variable("DATABASE_URL");
    let url = url.replace(installation.database.name(), database);
    installation.set("DATABASE_URL", &url);
    installation.print(&["doctor", "--json"]);
    let _platform = installation.up().await;
    let login = json!({ "email": user.email, "password": PASSWORD });
    let api = installation.anonymous();
    let tokens = api
        .post(&bz_kernel::platform::IDENTITY, "/auth/login", login)
        .await;
    tokens.with_status(200);
    let before = user.today("leads_created").await;
    user.lead(json!({ "first_name": "Edsger" })).await;
    let more = async || user.today("leads_created").await > before;
    wait_until(more, Duration::from_secs(10)).await;
}

#[tokio::test]
async fn the_password_is_on_no_command_line_and_only_the_owner_may_read_the_file() {
    let mut installation = Installation::migrated().await;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(installation.database.name());
    std::fs::create_dir(&folder).unwrap();
    let (program, seen) = (folder.join("pg_dump"), folder.join("seen"));
    let real = match bz_testkit::postgres_programs() {
        Some(folder) => format!("{folder}/pg_dump"),
        None => "pg_dump".to_owned(),
    };
    let script = format!(
        "#!/bin/sh\necho \"$@\" >>'{}'\nexec {real} \"$@\"\n",
        seen.display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    installation.set("PG_BIN", folder.to_str().unwrap());
    installation.set("PATH", "/usr/bin:/bin");
    let file = BackupFile::new();
    installation.print(&["backup", "--out", file.text()]);
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains("--snapshot="), "{seen}");
    let url: url::Url = installation.variable("DATABASE_URL").parse().unwrap();
    assert!(!seen.contains(url.password().unwrap()), "{seen}");
    let mode = file.path().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let roles = file.part("roles.sql");
    assert!(
        roles.contains("crm_migrator") && !roles.contains("SCRAM"),
        "{roles}"
    );
    std::fs::remove_dir_all(folder).unwrap();
}
