//! `bizosaas up`: the five services in one process. They share nothing but the process: each has its own database
//! login, its own listeners, and talks to the others over HTTP, as in a cluster.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use ai_orchestrator::AiOrchestrator;
use analytics::Analytics;
use bz_kernel::{ExposeSecret, ServiceInfo, platform::SERVICES};
use bz_service::Service;
use bz_service::config::{ConfigProblems, Env, Problem};
use bz_service::lifecycle::Signals;
use bz_service::run::{Listeners, RunError, Settings, run_service};
use bz_service::telemetry::Telemetry;
use chatbot::Chatbot;
use crm::Crm;
use identity::Identity;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::operator::Operator;

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

/// Runs until a signal comes or a service fails.
pub(crate) async fn up(nodeports: bool) -> anyhow::Result<ExitCode> {
    let operator = Operator::from_process()?;
    let shared = shared_variables();
    let env = |service: &'static ServiceInfo| -> anyhow::Result<Env> {
        let mut vars = shared.clone();
        vars.insert("PORT".into(), service.port.to_string());
        vars.insert("ADMIN_PORT".into(), service.admin_port.to_string());
        vars.insert(
            "DATABASE_URL".into(),
            operator.service_url(service)?.expose_secret().to_owned(),
        );
        if nodeports {
            vars.insert("EXTRA_PORTS".into(), service.node_port.to_string());
        }
        Ok(Env::from_map(vars))
    };
    // Everything is read before anything listens, so that all problems of all services are said at once.
    let mut problems = Vec::new();
    let identity = read::<Identity>(env(Identity::INFO)?, &mut problems);
    let ai = read::<AiOrchestrator>(env(AiOrchestrator::INFO)?, &mut problems);
    let chatbot = read::<Chatbot>(env(Chatbot::INFO)?, &mut problems);
    let crm = read::<Crm>(env(Crm::INFO)?, &mut problems);
    let analytics = read::<Analytics>(env(Analytics::INFO)?, &mut problems);
    let (Some(identity), Some(ai), Some(chatbot), Some(crm), Some(analytics)) =
        (identity, ai, chatbot, crm, analytics)
    else {
        return Err(ConfigProblems(problems).into());
    };
    let telemetry = Telemetry::install(&identity.core.telemetry, "bizosaas")?;
    let signals = Signals::install()?;
    let mut platform = Platform {
        running: JoinSet::new(),
        telemetry: telemetry.clone(),
        stop: signals.stop.clone(),
    };
    platform.start(identity)?;
    platform.start(ai)?;
    platform.start(chatbot)?;
    platform.start(crm)?;
    platform.start(analytics)?;
    tokio::spawn(announce(signals.stop.clone()));
    let code = tokio::select! {
        code = platform.finish() => code,
        () = signals.force.cancelled() => ExitCode::FAILURE,
    };
    telemetry.shutdown().await;
    Ok(code)
}

/// The process's variables without those that are set for each service.
fn shared_variables() -> BTreeMap<String, String> {
    let mut vars: BTreeMap<String, String> = std::env::vars().collect();
    vars.retain(|name, _| !PER_SERVICE.contains(&name.as_str()));
    // One process on one machine: nobody has to be told before the listener closes.
    vars.entry("DRAIN_DELAY".into())
        .or_insert_with(|| "0s".into());
    vars.entry("ENVIRONMENT".into())
        .or_insert_with(|| "development".into());
    vars
}

fn read<S: Service>(mut env: Env, problems: &mut Vec<Problem>) -> Option<Settings<S>> {
    match Settings::<S>::read(&mut env) {
        Ok(settings) => Some(settings),
        Err(more) => {
            // A variable that all services share is wrong once, not five times.
            for problem in more.0 {
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
            None
        }
    }
}

/// The running services.
struct Platform {
    running: JoinSet<(&'static str, Result<(), RunError>)>,
    telemetry: Telemetry,
    stop: CancellationToken,
}

impl Platform {
    fn start<S: Service>(&mut self, settings: Settings<S>) -> anyhow::Result<()> {
        let listeners = Listeners::bind(&settings.core.server)?;
        let running = run_service(
            settings,
            listeners,
            self.telemetry.clone(),
            self.stop.clone(),
        );
        self.running
            .spawn(async move { (S::INFO.name, running.await) });
        Ok(())
    }

    /// Waits for all services; one that fails stops the others in order.
    async fn finish(mut self) -> ExitCode {
        let mut code = ExitCode::SUCCESS;
        while let Some(ended) = self.running.join_next().await {
            match ended {
                Ok((_, Ok(()))) => {}
                Ok((service, Err(error))) => {
                    tracing::error!(
                        service,
                        error = format!("{:#}", anyhow::Error::new(error)),
                        "service failed"
                    );
                    code = ExitCode::FAILURE;
                }
                Err(error) => {
                    tracing::error!(%error, "service panicked");
                    code = ExitCode::FAILURE;
                }
            }
            self.stop.cancel();
        }
        code
    }
}

/// Says once that all five services are ready.
async fn announce(stop: CancellationToken) {
    let ready = async {
        for service in SERVICES {
            while bz_service::healthcheck::ready(service.port).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    if stop.run_until_cancelled(ready).await.is_some() {
        tracing::info!("ready: all five services answer");
    }
}
