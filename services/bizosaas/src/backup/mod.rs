//! `bizosaas backup`: the whole database, its roles and what is needed to prove both, in one tar file.
//!
//! Everything is read from one snapshot, so that counts, roles and dump agree while others write. The migration lock is
//! held meanwhile: rows may change, tables may not.

pub(crate) mod archive;
pub(crate) mod manifest;
pub(crate) mod programs;
pub(crate) mod roles;
pub(crate) mod tables;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail};
use bz_kernel::Clock;
use bz_tenant::migrate::{Lock, Migrator};
use serde::Serialize;
use sqlx::{Connection, Executor, PgConnection};

use self::archive::Writer;
use self::manifest::{DUMP, Manifest, ROLES};
use self::programs::Programs;
use crate::operator::{Needs, Operator, PATIENCE};

/// Where to put it, and how to say it.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The file to make; one that exists is never replaced.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// One JSON document instead of a line.
    #[arg(long)]
    json: bool,
}

/// What was saved.
#[derive(Serialize)]
struct Summary {
    file: PathBuf,
    bytes: u64,
    database: String,
    tables: usize,
    rows: i64,
    seconds: f64,
}

/// `bizosaas backup`.
pub(crate) async fn backup(options: &Options) -> anyhow::Result<ExitCode> {
    let operator = Operator::from_process(Needs::ADMINISTRATOR)?;
    let began = Instant::now();
    let programs = Programs::new(&operator)?;
    operator.reached(PATIENCE).await?;
    let lock = Lock::take(&operator.target()).await?;
    let mut conn = operator.target().connect().await?;
    let server = server_version(&mut conn).await?;
    programs.require("pg_dump", server.major)?;
    may_read_everything(&mut conn).await?;

    let mut writer = Writer::create(&options.out)?;
    let snapshot = snapshot(&mut conn).await?;
    let mut dumping = programs.dump(&snapshot)?;
    let dump = writer.stream(DUMP, dumping.output()?)?;
    dumping.finish()?;
    let sql = roles::sql(&mut conn).await?;
    let roles = writer.stream(ROLES, sql.as_bytes())?;
    let manifest = Manifest {
        format: manifest::FORMAT,
        created_at: Clock::system().now(),
        release: env!("CARGO_PKG_VERSION").to_owned(),
        database: operator.target().database()?,
        server: server.text,
        schemas: levels(&operator).await?,
        tables: tables::read(&mut conn).await?,
        files: [(DUMP.to_owned(), dump), (ROLES.to_owned(), roles)].into(),
    };
    writer.manifest(&manifest)?;
    conn.close().await?;
    lock.release().await?;
    let bytes = writer.finish()?;

    let summary = Summary {
        file: options.out.clone(),
        bytes,
        database: manifest.database,
        tables: manifest.tables.len(),
        rows: manifest.tables.values().map(|table| table.rows).sum(),
        seconds: began.elapsed().as_secs_f64(),
    };
    summary.print(options.json)
}

impl Summary {
    fn print(&self, json: bool) -> anyhow::Result<ExitCode> {
        if json {
            println!("{}", serde_json::to_string_pretty(self)?);
        } else {
            println!(
                "{}: {} bytes, {} rows of {} tables of database {} in {:.1} s; prove it with `bizosaas restore --verify`",
                self.file.display(),
                self.bytes,
                self.rows,
                self.tables,
                self.database,
                self.seconds
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Opens the transaction whose snapshot is shared with `pg_dump`, for as long as the connection lives.
async fn snapshot(conn: &mut PgConnection) -> anyhow::Result<String> {
    // A dump may take longer than the server lets a transaction idle.
    conn.execute(
        "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;
         BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    )
    .await?;
    let id = sqlx::query_scalar("SELECT pg_export_snapshot()")
        .fetch_one(conn)
        .await;
    id.context("the snapshot cannot be shared")
}

/// The version of a database server.
pub(crate) struct ServerVersion {
    pub(crate) major: u32,
    text: String,
}

pub(crate) async fn server_version(conn: &mut PgConnection) -> anyhow::Result<ServerVersion> {
    let sql = "SELECT current_setting('server_version_num')::int / 10000, current_setting('server_version')";
    let (major, text): (i32, String) = sqlx::query_as(sql).fetch_one(conn).await?;
    let major = u32::try_from(major)?;
    Ok(ServerVersion { major, text })
}

/// Row-level security is forced on the tables' owners too, so only these roles see every tenant's rows.
async fn may_read_everything(conn: &mut PgConnection) -> anyhow::Result<()> {
    let sql =
        "SELECT rolname::text, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user";
    let (role, may): (String, bool) = sqlx::query_as(sql).fetch_one(conn).await?;
    if !may {
        bail!(
            "{role} is neither a superuser nor has BYPASSRLS, so row-level security hides every tenant's rows from it"
        );
    }
    Ok(())
}

/// The applied migrations, by schema. The migration lock keeps them as they are.
async fn levels(operator: &Operator) -> anyhow::Result<manifest::Schemas> {
    let status = Migrator::embedded()?.status(&operator.target()).await?;
    Ok(status
        .into_iter()
        .map(|schema| {
            let applied = schema.applied().collect();
            (schema.schema, applied)
        })
        .collect())
}
