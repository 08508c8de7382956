//! `bizosaas migrate`: roles and schemas as the administrator, then every schema's migrations.

mod bootstrap;
mod status;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use bz_tenant::migrate::{Migrator, Target};

use crate::operator::{Needs, Operator};

/// What to do, all of it when nothing is said.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub(crate) struct Mode {
    /// Say what would be applied; change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Say where each schema stands; change nothing.
    #[arg(long)]
    status: bool,
    /// Make roles and schemas and set the passwords, as the administrator; apply nothing.
    #[arg(long)]
    bootstrap_only: bool,
    /// Print the SQL of the roles and schemas for an administrator to run; it holds no password.
    #[arg(long)]
    bootstrap_sql: bool,
    /// Apply what is missing as each schema's migrator; no administrator is needed.
    #[arg(long)]
    skip_bootstrap: bool,
}

/// What goes with some of the modes.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// With --status: one JSON document instead of lines.
    #[arg(long, requires = "status")]
    json: bool,
    /// Longest wait for the database to start.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    wait: u64,
}

/// `bizosaas migrate`.
pub(crate) async fn migrate(mode: &Mode, options: &Options) -> anyhow::Result<ExitCode> {
    let wait = Duration::from_secs(options.wait);
    if mode.bootstrap_sql {
        bootstrap::print()
    } else if mode.status {
        status::status(wait, options.json).await
    } else if mode.dry_run {
        plan().await
    } else if mode.bootstrap_only {
        bootstrap::bootstrap(&there(Needs::BOOTSTRAP, wait).await?).await
    } else if mode.skip_bootstrap {
        apply(&there(Needs::MIGRATORS, wait).await?).await
    } else {
        let target = there(Needs::BOOTSTRAP, wait).await?;
        Migrator::embedded()?.roles(&target).await?;
        apply(&target).await
    }
}

/// The database, as soon as it answers.
async fn there(needs: Needs, limit: Duration) -> anyhow::Result<Target> {
    let operator = Operator::from_process(needs)?;
    if needs.administrator() {
        return Ok(operator.reached(limit).await?);
    }
    operator
        .without_administrator()
        .reached(limit)
        .await
        .context(
            "no migrator can log in; has an administrator run `bizosaas migrate --bootstrap-only`?",
        )
}

/// Applies what is missing.
async fn apply(target: &Target) -> anyhow::Result<ExitCode> {
    let applied = Migrator::embedded()?.run(target).await?;
    for step in &applied {
        println!(
            "{:<10} {:04} {} ({} ms)",
            step.schema,
            step.version,
            step.name,
            step.took.as_millis()
        );
    }
    println!(
        "{} migrations applied; every schema is current",
        applied.len()
    );
    Ok(ExitCode::SUCCESS)
}

/// Says what would be done.
async fn plan() -> anyhow::Result<ExitCode> {
    let target = Operator::from_process(Needs::NOTHING)?.target();
    let plan = Migrator::embedded()?.plan(&target).await?;
    if plan.creates_roles {
        println!("roles, schemas and the extension vector would be created");
    }
    for step in &plan.steps {
        println!("{:<10} {:04} {}", step.schema, step.version, step.name);
    }
    println!("{} migrations would be applied", plan.steps.len());
    Ok(ExitCode::SUCCESS)
}
