//! `bizosaas up`: the five services in one process. They share nothing but the process: each has its own database
//! login, its own listeners, and talks to the others over HTTP, as in a cluster.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use ai_orchestrator::AiOrchestrator;
use analytics::Analytics;
use bz_kernel::platform::{self, SERVICES};
use bz_kernel::{ExposeSecret, ServiceInfo};
use bz_service::Service;
use bz_service::config::{ConfigProblems, Env, Problem};
use bz_service::lifecycle::Signals;
use bz_service::run::{Listeners, RunError, Settings, run_service};
use bz_service::telemetry::Telemetry;
use chatbot::Chatbot;
use clap::value_parser;
use crm::Crm;
use identity::Identity;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::operator::{Needs, Operator};

/// Variables that name one service's place; here each service has its own.
const PER_SERVICE: [&str; 9] = [
    "PORT",
    "ADMIN_PORT",
    "EXTRA_PORTS",
    "DATABASE_URL",
    "DATABASE_URL_FILE",
    "POSTGRES_HOST",
    "POSTGRES_DB",
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
];

/// Who calls stops before whom it calls, so that requests in flight are answered whole.
const STOP_ORDER: [&[&ServiceInfo]; 3] = [
    &[&platform::CHATBOT, &platform::ANALYTICS],
    &[&platform::CRM, &platform::AI_ORCHESTRATOR],
    &[&platform::IDENTITY],
];

/// Where the platform listens.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Options {
    /// Listen on the NodePort numbers (30101-30105) as well.
    #[arg(long)]
    nodeports: bool,
    /// Add N to every port: run a second platform beside the first. Siblings are looked for there too, unless
    /// IDENTITY_URL and its like say where they are.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = value_parser!(u16).range(..=35_430))]
    port_offset: u16,
}

/// Runs until a signal comes or a service fails.
pub(super) async fn up(options: Options) -> anyhow::Result<ExitCode> {
    // Everything is read before anything listens, so that all problems of all services are said at once.
    let mut reader = Reader::from_process(options);
    let identity = reader.read::<Identity>();
    let ai = reader.read::<AiOrchestrator>();
    let chatbot = reader.read::<Chatbot>();
    let crm = reader.read::<Crm>();
    let analytics = reader.read::<Analytics>();
    let (Some(identity), Some(ai), Some(chatbot), Some(crm), Some(analytics)) =
        (identity, ai, chatbot, crm, analytics)
    else {
        return Err(ConfigProblems(reader.problems).into());
    };
    let telemetry = Telemetry::install(&identity.core.telemetry, "bizosaas")?;
    let signals = Signals::install()?;
    let mut platform = Platform {
        running: BTreeMap::new(),
        telemetry: telemetry.clone(),
        stop: signals.stop.clone(),
    };
    platform.start(identity)?;
    platform.start(ai)?;
    platform.start(chatbot)?;
    platform.start(crm)?;
    platform.start(analytics)?;
    tokio::spawn(announce(options.port_offset, signals.stop.clone()));
    let code = tokio::select! {
        code = platform.finish() => code,
        () = signals.force.cancelled() => ExitCode::FAILURE,
    };
    telemetry.shutdown().await;
    Ok(code)
}

/// Reads the configuration of each service and keeps what was wrong.
struct Reader {
    options: Options,
    operator: Option<Operator>,
    shared: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl Reader {
    fn from_process(options: Options) -> Self {
        let mut env = Env::from_process();
        let operator = Operator::read(&mut env, Needs::LOGINS);
        let problems = env
            .finish()
            .err()
            .map_or_else(Vec::new, |problems| problems.0);
        Self {
            options,
            operator,
            shared: shared_variables(options.port_offset),
            problems,
        }
    }

    /// The settings, unless anything was wrong with them or with the operator's.
    fn read<S: Service>(&mut self) -> Option<Settings<S>> {
        let mut env = match self.variables(S::INFO) {
            Ok(vars) => Env::from_map(vars),
            Err(error) => {
                self.keep(Problem {
                    name: "DATABASE_URL".to_owned(),
                    message: error.to_string(),
                });
                return None;
            }
        };
        match Settings::<S>::read(&mut env) {
            Ok(settings) => self.operator.as_ref().map(|_| settings),
            Err(more) => {
                more.0.into_iter().for_each(|problem| self.keep(problem));
                None
            }
        }
    }

    /// A variable that all services share is wrong once, not five times.
    fn keep(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn variables(&self, service: &ServiceInfo) -> anyhow::Result<BTreeMap<String, String>> {
        let offset = self.options.port_offset;
        let database_url = match &self.operator {
            Some(operator) => operator.service_url(service)?.expose_secret().to_owned(),
            // What is wrong with it has been said; the rest is read all the same.
            None => "postgres://unknown/".to_owned(),
        };
        let mut vars = self.shared.clone();
        vars.insert("PORT".into(), (service.port + offset).to_string());
        vars.insert(
            "ADMIN_PORT".into(),
            (service.admin_port + offset).to_string(),
        );
        vars.insert("DATABASE_URL".into(), database_url);
        if self.options.nodeports {
            let port = service.node_port + offset;
            vars.insert("EXTRA_PORTS".into(), port.to_string());
        }
        Ok(vars)
    }
}

/// The process's variables without those that are set for each service.
fn shared_variables(port_offset: u16) -> BTreeMap<String, String> {
    let mut vars: BTreeMap<String, String> = std::env::vars().collect();
    vars.retain(|name, _| !PER_SERVICE.contains(&name.as_str()));
    // One process on one machine: nobody has to be told before the listener closes.
    vars.entry("DRAIN_DELAY".into())
        .or_insert_with(|| "0s".into());
    vars.entry("ENVIRONMENT".into())
        .or_insert_with(|| "development".into());
    // What links in mails start with.
    vars.entry("PUBLIC_URL".into())
        .or_insert_with(|| format!("http://localhost:{}", platform::IDENTITY.port + port_offset));
    for service in SERVICES {
        vars.entry(service.url_variable.into())
            .or_insert_with(|| format!("http://127.0.0.1:{}", service.port + port_offset));
    }
    vars
}

/// The running services.
struct Platform {
    running: BTreeMap<&'static str, Running>,
    telemetry: Telemetry,
    /// All of them are to stop.
    stop: CancellationToken,
}

struct Running {
    stop: CancellationToken,
    task: JoinHandle<Result<(), RunError>>,
}

impl Platform {
    fn start<S: Service>(&mut self, settings: Settings<S>) -> anyhow::Result<()> {
        let listeners = Listeners::bind(&settings.core.server)?;
        let stop = CancellationToken::new();
        let telemetry = self.telemetry.clone();
        let service = run_service(settings, listeners, telemetry, stop.clone());
        // A service that ends, in whatever way, takes the others with it.
        let ended = self.stop.clone().drop_guard();
        let task = tokio::spawn(async move {
            let _ended = ended;
            service.await
        });
        self.running.insert(S::INFO.name, Running { stop, task });
        Ok(())
    }

    /// Waits for the stop and for all services after it.
    async fn finish(mut self) -> ExitCode {
        self.stop.cancelled().await;
        let mut code = ExitCode::SUCCESS;
        for stage in STOP_ORDER {
            let stopping: Vec<_> = stage
                .iter()
                .filter_map(|service| self.running.remove_entry(service.name))
                .collect();
            for (_, service) in &stopping {
                service.stop.cancel();
            }
            for (name, service) in stopping {
                if let Err(error) = ended(service.task.await) {
                    tracing::error!(
                        service = name,
                        error = format!("{error:#}"),
                        "service failed"
                    );
                    code = ExitCode::FAILURE;
                }
            }
        }
        code
    }
}

fn ended(result: Result<Result<(), RunError>, tokio::task::JoinError>) -> anyhow::Result<()> {
    Ok(result??)
}

/// Says once that all five services are ready.
async fn announce(port_offset: u16, stop: CancellationToken) {
    let ready = async {
        for service in SERVICES {
            let port = service.port + port_offset;
            while bz_service::healthcheck::ready(port).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    if stop.run_until_cancelled(ready).await.is_some() {
        tracing::info!("ready: all five services answer");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_service_stops_in_its_turn() {
        let stopped: BTreeSet<&str> = STOP_ORDER
            .iter()
            .copied()
            .flatten()
            .map(|s| s.name)
            .collect();
        assert_eq!(stopped, SERVICES.iter().map(|s| s.name).collect());
    }

    #[test]
    fn the_largest_offset_leaves_every_port_a_port() {
        for service in SERVICES {
            for port in [service.port, service.admin_port, service.node_port] {
                assert!(port.checked_add(35_430).is_some(), "{port}");
            }
        }
    }
}
