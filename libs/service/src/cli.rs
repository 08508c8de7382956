//! `main` of a service's binary.

use std::process::ExitCode;

use bz_kernel::{ServiceInfo, error_chain};
use clap::{Parser, Subcommand};
use tokio::runtime::Runtime;

use crate::app::Service;
use crate::config::{Env, reference};
use crate::healthcheck;
use crate::lifecycle::Signals;
use crate::run::{Listeners, Settings, run_service};
use crate::telemetry::Telemetry;

/// Exit code of a wrong configuration: `EX_CONFIG` of BSD's sysexits.
pub const EXIT_CONFIG: u8 = 78;
/// Most threads that run requests unless configured: the services are many and wait most of the time.
const MOST_DEFAULT_THREADS: usize = 4;

#[derive(Parser)]
#[command(disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Clone, Copy)]
enum Command {
    /// Run the service (the default).
    Serve,
    /// Ask the service running on this machine whether it is ready; exit code 0 or 1.
    Healthcheck,
    /// Print the OpenAPI document.
    Openapi,
    /// Print the configuration reference.
    Config,
}

/// Runs a service's binary.
#[must_use]
pub fn main<S: Service>() -> ExitCode {
    match Arguments::parse().command.unwrap_or(Command::Serve) {
        Command::Serve => serve::<S>(),
        Command::Healthcheck => healthcheck(S::INFO),
        Command::Openapi => openapi::<S>(),
        Command::Config => {
            print(&reference::of_service::<S>());
            ExitCode::SUCCESS
        }
    }
}

fn serve<S: Service>() -> ExitCode {
    let mut env = Env::from_process();
    let settings = match Settings::<S>::read(&mut env) {
        Ok(settings) => settings,
        Err(problems) => {
            complain(&format!(
                "{} cannot start; its configuration is wrong:\n{problems}",
                S::INFO.name
            ));
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    match runtime(settings.core.server.worker_threads) {
        Ok(runtime) => {
            let code = runtime.block_on(run(settings, &env));
            // What still runs was given its time.
            runtime.shutdown_background();
            code
        }
        Err(error) => failure(&format!("cannot start threads: {error}")),
    }
}

async fn run<S: Service>(settings: Settings<S>, env: &Env) -> ExitCode {
    let listeners = match Listeners::bind(&settings.core.server) {
        Ok(listeners) => listeners,
        Err(error) => return failure(&error_chain(&error)),
    };
    let telemetry = match Telemetry::install(&settings.core.telemetry, S::INFO.health_name) {
        Ok(telemetry) => telemetry,
        Err(error) => return failure(&error_chain(&error)),
    };
    let signals = match Signals::install() {
        Ok(signals) => signals,
        Err(error) => return failure(&format!("cannot listen for signals: {error}")),
    };
    tracing::info!(service = S::INFO.name, configuration = %env.effective(), "configuration");
    let running = run_service(settings, listeners, telemetry.clone(), signals.stop.clone());
    let code = tokio::select! {
        ended = running => match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!(service = S::INFO.name, error = error_chain(&error), "ended with an error");
                ExitCode::FAILURE
            }
        },
        () = signals.force.cancelled() => ExitCode::FAILURE,
    };
    telemetry.shutdown().await;
    code
}

/// The runtime of a process that serves. `threads` 0 chooses by the machine's cores.
///
/// # Errors
/// When the operating system gives no threads.
pub fn runtime(threads: usize) -> std::io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if threads == 0 {
        cores.min(MOST_DEFAULT_THREADS)
    } else {
        threads
    };
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
}

fn healthcheck(info: &'static ServiceInfo) -> ExitCode {
    let mut env = Env::from_process();
    let port = env
        .number("PORT", "Port of the API.")
        .or(info.port.to_string());
    let Some(port) = port else {
        return failure("PORT is not a port");
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let answer = match runtime {
        Ok(runtime) => runtime.block_on(healthcheck::ready(port)),
        Err(error) => Err(error.to_string()),
    };
    match answer {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => failure(&reason),
    }
}

fn openapi<S: Service>() -> ExitCode {
    match S::openapi().to_pretty_json() {
        Ok(document) => {
            print(&document);
            ExitCode::SUCCESS
        }
        Err(error) => failure(&error.to_string()),
    }
}

fn failure(message: &str) -> ExitCode {
    complain(message);
    ExitCode::FAILURE
}

fn complain(message: &str) {
    use std::io::Write as _;
    // Nobody listens when this fails.
    let _ = writeln!(std::io::stderr(), "{message}");
}

fn print(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}
