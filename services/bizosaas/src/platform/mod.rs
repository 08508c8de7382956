//! The commands that are made of the services' own code; with them all five services are in this binary. The operator's
//! image does without.

mod documents;
mod up;

use std::process::ExitCode;

use clap::Subcommand;

/// What takes the services.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run all five services in this process.
    Up(up::Options),
    /// Print the OpenAPI documents of all services as one JSON object, by name.
    Openapi,
    /// Print the configuration reference.
    Config,
}

pub(crate) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Up(options) => up::up(options).await,
        Command::Openapi => documents::openapi(),
        Command::Config => documents::configuration(),
    }
}
