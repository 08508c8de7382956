//! `bizosaas restore`: a backup into an empty database, or with `--verify` into a scratch database that is dropped again.
//! Either way what was restored is compared with what the backup says of itself.

mod feed;
mod server;
mod tenancy;
mod verify;

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail};
use bz_tenant::migrate::{Migrator, Target};
use sqlx::{Connection, Executor};

use self::server::Server;
use crate::backup::archive::Archive;
use crate::backup::manifest::{DUMP, Manifest, ROLES};
use crate::backup::programs::Programs;
use crate::operator::{Needs, Operator, PATIENCE};

/// What to restore, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The file that `bizosaas backup` made.
    #[arg(long = "in", value_name = "FILE")]
    input: PathBuf,
    /// Restore into a scratch database, check everything, drop it.
    #[arg(long, conflicts_with = "into")]
    verify: bool,
    /// The database to fill, which is empty or does not exist; the configured one when unset.
    #[arg(long, value_name = "DATABASE")]
    into: Option<String>,
}

/// `bizosaas restore`.
pub(crate) async fn restore(options: &Options) -> anyhow::Result<ExitCode> {
    let operator = Operator::from_process(Needs::ADMINISTRATOR)?;
    let began = Instant::now();
    let (mut archive, manifest) = Archive::open(&options.input)?;
    manifest.refuse_newer()?;
    operator.reached(PATIENCE).await?;
    let server = Server::of(&operator).await?;
    let programs = Programs::new(&operator)?;
    programs.require("pg_restore", server.major)?;

    let database = match (&options.into, options.verify) {
        (_, true) => server.create_scratch().await?,
        (Some(name), false) => server.prepare(name).await?,
        (None, false) => server.prepare(&operator.target().database()?).await?,
    };
    let target = operator.target().on(&database);
    let restored = fill(&programs, &mut archive, &target, &database).await;
    let checked = match restored {
        Ok(()) => verify::verify(&target, &manifest).await,
        Err(error) => Err(error),
    };
    if options.verify {
        server.drop_scratch(&database).await?;
    }
    let problems = checked?;
    if !problems.is_empty() {
        eprintln!("bizosaas: {}", problems.join("\nbizosaas: "));
        bail!(
            "what was restored is not what was saved: {} problems",
            problems.len()
        );
    }
    if !options.verify {
        finish(&target).await?;
    }
    let what = match options.verify {
        true => "verified".to_owned(),
        false => format!("restored into database {database}"),
    };
    summary(&manifest, &what, began);
    Ok(ExitCode::SUCCESS)
}

/// Makes the roles that are missing, then everything else.
async fn fill(
    programs: &Programs,
    archive: &mut Archive,
    target: &Target,
    database: &str,
) -> anyhow::Result<()> {
    let mut roles = String::new();
    archive.part(ROLES)?.read_to_string(&mut roles)?;
    let mut conn = target.connect().await?;
    conn.execute(roles.as_str())
        .await
        .context("cannot make the roles")?;
    programs.restore(database, &mut archive.part(DUMP)?)?;
    // The planner knows nothing of new tables yet.
    conn.execute("ANALYZE").await?;
    conn.close().await?;
    Ok(())
}

/// What a database that is to be used needs and a dump cannot have.
async fn finish(target: &Target) -> anyhow::Result<()> {
    let moved = feed::rebase(target).await?;
    if moved > 0 {
        println!("{moved} events were renumbered: this server's transactions have other numbers");
    }
    // Passwords are in no backup; the configured ones are set.
    Migrator::embedded()?.roles(target).await?;
    Ok(())
}

fn summary(manifest: &Manifest, what: &str, began: Instant) {
    let rows: i64 = manifest.tables.values().map(|table| table.rows).sum();
    println!(
        "{what}: the backup of {} from {}, {rows} rows of {} tables, roles and row-level security as they were, in {:.1} s",
        manifest.database,
        manifest.created_at.format("%Y-%m-%d %H:%M:%S UTC"),
        manifest.tables.len(),
        began.elapsed().as_secs_f64()
    );
}
