//! The operator's binary: the whole platform in one process, migrations, checks, demo data.

mod bench;
mod doctor;
mod documents;
mod migrate;
mod operator;
mod seed;
mod up;

use std::process::ExitCode;

use bz_service::{cli::EXIT_CONFIG, config::ConfigProblems};
use clap::{Parser, Subcommand};

/// The platform's operator.
#[derive(Parser)]
#[command(name = "bizosaas", version, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run all five services in this process.
    Up(up::Options),
    /// Make roles and schemas, and apply what is missing.
    Migrate {
        /// Say what would be applied; change nothing.
        #[arg(long, conflicts_with = "status")]
        dry_run: bool,
        /// Say where each schema stands; change nothing.
        #[arg(long)]
        status: bool,
    },
    /// Check configuration, database, roles, row-level security, Redis and models; one line each.
    Doctor {
        /// One JSON document instead of lines.
        #[arg(long)]
        json: bool,
    },
    /// Fill the demo tenant through the running services.
    Seed,
    /// Print the OpenAPI documents of all services as one JSON object, by name.
    Openapi,
    /// Print the configuration reference.
    Config,
    /// Measure bare Argon2id on all cores, as a yardstick for logins.
    #[command(hide = true)]
    BenchArgon2 {
        /// For how long.
        seconds: u64,
    },
}

fn main() -> ExitCode {
    let runtime = match bz_service::cli::runtime(0) {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("cannot start threads")),
    };
    let ended = runtime.block_on(run(Arguments::parse().command));
    runtime.shutdown_background();
    ended.unwrap_or_else(|error| fail(&error))
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Up(options) => up::up(options).await,
        Command::Migrate { dry_run: true, .. } => migrate::plan().await,
        Command::Migrate { status: true, .. } => migrate::status().await,
        Command::Migrate { .. } => migrate::run().await,
        Command::Doctor { json } => doctor::doctor(json).await,
        Command::Seed => seed::run().await,
        Command::Openapi => documents::openapi(),
        Command::Config => documents::configuration(),
        Command::BenchArgon2 { seconds } => bench::argon2(seconds),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("bizosaas: {error:#}");
    let config = error.downcast_ref::<ConfigProblems>().is_some();
    if config {
        ExitCode::from(EXIT_CONFIG)
    } else {
        ExitCode::FAILURE
    }
}
