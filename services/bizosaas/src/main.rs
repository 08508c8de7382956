//! The operator's binary: the whole platform in one process, migrations, checks, backups, demo data.

mod backup;
mod bench;
mod doctor;
mod http;
mod migrate;
mod operator;
mod owner;
#[cfg(feature = "platform")]
mod platform;
mod reader;
mod report;
mod restore;
mod restore_tenant;
mod seed;
mod smoke;

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
    #[cfg(feature = "platform")]
    #[command(flatten)]
    Platform(platform::Command),
    /// Make roles and schemas, and apply what is missing.
    Migrate {
        #[command(flatten)]
        mode: migrate::Mode,
        #[command(flatten)]
        options: migrate::Options,
    },
    /// Check configuration, database, roles, row-level security, Redis and models; one line each.
    Doctor(doctor::Options),
    /// Check the running services from outside, with a new tenant where registration is open; one line each.
    Smoke(smoke::Options),
    /// Save the database, its roles and what proves them in one tar file.
    Backup(backup::Options),
    /// Restore a backup into an empty database, or only verify it.
    Restore(restore::Options),
    /// Make a tenant and its owner, with the password from standard input: the first account where nobody may register.
    CreateOwner(owner::Options),
    /// Bring back a tenant that was deleted less than 30 days ago.
    RestoreTenant(restore_tenant::Options),
    /// Make or drop a login for one tenant's own tools for reports.
    #[command(subcommand)]
    Reader(reader::Command),
    /// Fill the demo tenant through the running services.
    Seed,
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
        #[cfg(feature = "platform")]
        Command::Platform(command) => platform::run(command).await,
        Command::Migrate { mode, options } => migrate::migrate(&mode, &options).await,
        Command::Doctor(options) => doctor::doctor(options).await,
        Command::Smoke(options) => smoke::smoke(options).await,
        Command::Backup(options) => backup::backup(&options).await,
        Command::Restore(options) => restore::restore(&options).await,
        Command::CreateOwner(options) => owner::create_owner(options).await,
        Command::RestoreTenant(options) => restore_tenant::restore_tenant(&options).await,
        Command::Reader(command) => reader::reader(command).await,
        Command::Seed => seed::run().await,
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
