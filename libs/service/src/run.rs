//! One service from its checked configuration to its orderly end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use bz_http::layers::{LayerConfig, Stack, stack};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::admin::Admin;
use crate::api_keys;
use crate::app::{App, Service};
use crate::config::{Config, ConfigProblems, CoreConfig, Env, ServerConfig};
use crate::core::Core;
use crate::docs::Docs;
use crate::front::Front;
use crate::health::Health;
use crate::lifecycle::{JobFailed, Jobs};
use crate::monitor::Monitor;
use crate::retention;
use crate::revocations;
use crate::server::{self, BindError, Limits, Server};
use crate::telemetry::Telemetry;

/// A service's whole configuration, checked.
pub struct Settings<S: Service> {
    /// The shared part.
    pub core: CoreConfig,
    /// The service's own part.
    pub own: S::Config,
}

impl<S: Service> Settings<S> {
    /// Reads both parts.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn read(env: &mut Env) -> Result<Self, ConfigProblems> {
        let (core, own) = (CoreConfig::read(env, S::INFO), S::Config::read(env));
        env.finish()?;
        match (core, own) {
            (Some(core), Some(own)) => Ok(Self { core, own }),
            // A part that is missing without a problem would be a mistake in its `read`.
            _ => Err(ConfigProblems(Vec::new())),
        }
    }
}

/// The open listeners of one service.
pub struct Listeners {
    /// The API; several addresses answer the same.
    pub api: Vec<TcpListener>,
    /// `/metrics`; none when another service of the process has it.
    pub admin: Option<TcpListener>,
}

impl Listeners {
    /// Opens the configured addresses. Must be called inside the runtime.
    ///
    /// # Errors
    /// [`BindError`] for the first that cannot be opened.
    pub fn bind(config: &ServerConfig) -> Result<Self, BindError> {
        let api = config
            .listen
            .iter()
            .copied()
            .map(server::bind)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            api,
            admin: Some(server::bind(config.admin)?),
        })
    }

    fn tell(&self, service: &'static str) {
        let address = |listener: &TcpListener| {
            listener
                .local_addr()
                .map(|address| address.to_string())
                .ok()
        };
        let addresses = self
            .api
            .iter()
            .filter_map(address)
            .collect::<Vec<_>>()
            .join(",");
        let admin = self.admin.as_ref().and_then(address);
        tracing::info!(service, addresses, admin, "listening");
    }
}

/// Why a service did not end well.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The service could not be put together at all.
    #[error("the service cannot start")]
    Start(#[source] anyhow::Error),
    /// A job failed; the service stopped in order because of it.
    #[error(transparent)]
    Job(#[from] JobFailed),
    /// Requests were still in flight after the grace period.
    #[error("requests were still in flight after {0:?}")]
    GraceExceeded(Duration),
}

/// Longest wait for jobs and background work after the last request.
const JOB_PATIENCE: Duration = Duration::from_secs(5);
/// Longest wait for the database to close its connections.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);
/// When what building left is given back, by freeing how many bytes.
const GIVE_BACK_AFTER: Duration = Duration::from_secs(2);
const GIVEN_BACK: usize = 16 << 20;
/// First pause after the service could not be built; it doubles up to the second constant.
const BUILD_PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// Runs a service until `stop` is cancelled and its last request is answered. Several can share a process.
///
/// The listeners answer health at once; the routes open when the database was reached and checked.
///
/// # Errors
/// [`RunError`] says why the process should exit non-zero.
pub async fn run_service<S: Service>(
    settings: Settings<S>,
    listeners: Listeners,
    telemetry: Telemetry,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let Settings { core: config, own } = settings;
    let core = Core::from_config(S::INFO, &config).map_err(RunError::Start)?;
    api_keys::install(&core).map_err(RunError::Start)?;
    let health = Arc::new(Health::new(S::INFO, core.sources.clock.clone()));
    let monitor = Monitor::new(core.db.clone(), core.redis.clone(), Arc::clone(&health))
        .map_err(RunError::Start)?;
    let front = Arc::new(Front::new(Arc::clone(&health), Docs::new(S::openapi)));

    listeners.tell(S::INFO.name);
    let serving = Serving::start(listeners, &config.server, &front, telemetry);
    let mut jobs = Jobs::new();
    let running = Running {
        front: &front,
        config: &config.server,
        core: &core,
    };
    let failed = tokio::select! {
        () = stop.cancelled() => None,
        failed = running.live::<S>(monitor, own, &mut jobs) => Some(failed),
    };

    tracing::info!(service = S::INFO.name, "draining");
    health.set_draining();
    let answered = serving.stop(&config.server, &core.shutdown).await;
    let stopped = finish(core, jobs).await;
    tracing::info!(service = S::INFO.name, "stopped");
    match failed {
        Some(failed) => Err(failed.into()),
        None => answered.and(stopped.map_err(RunError::from)),
    }
}

/// The accept loops of one service.
struct Serving {
    closing: CancellationToken,
    draining: Arc<AtomicBool>,
    api: AbortOnDropHandle<()>,
    _admin: Option<AbortOnDropHandle<()>>,
}

impl Serving {
    fn start(
        listeners: Listeners,
        config: &ServerConfig,
        front: &Arc<Front>,
        telemetry: Telemetry,
    ) -> Self {
        let limits = Limits {
            max_connections: config.max_connections,
            header_read_timeout: config.header_read_timeout,
            keep_alive_timeout: config.keep_alive_timeout,
        };
        let closing = CancellationToken::new();
        let api = Server::new(listeners.api, limits, Arc::clone(front));
        let draining = api.draining();
        // The numbers of a stop are worth a scrape, so this one ends with the service only.
        let admin = listeners.admin.map(|listener| {
            let admin = Server::new(vec![listener], limits, Arc::new(Admin::new(telemetry)));
            AbortOnDropHandle::new(tokio::spawn(admin.run(CancellationToken::new())))
        });
        Self {
            draining,
            api: AbortOnDropHandle::new(tokio::spawn(api.run(closing.clone()))),
            _admin: admin,
            closing,
        }
    }

    /// Asks clients to go, closes the listeners, ends streams, waits for the last answer.
    async fn stop(
        self,
        config: &ServerConfig,
        streams: &CancellationToken,
    ) -> Result<(), RunError> {
        self.draining.store(true, Ordering::Relaxed);
        if !config.drain_delay.is_zero() {
            tokio::time::sleep(config.drain_delay).await;
        }
        self.closing.cancel();
        streams.cancel();
        let patience = config.grace_period + server::LINGER;
        match tokio::time::timeout(patience, self.api).await {
            Ok(_) => Ok(()),
            Err(_) => Err(RunError::GraceExceeded(config.grace_period)),
        }
    }
}

/// A service's routes inside the standard layers.
#[must_use]
pub fn routes(core: &Core, config: &ServerConfig, router: Router) -> Stack {
    let layers = LayerConfig {
        service: core.info.name,
        request_timeout: config.request_timeout,
        body_limit: config.body_limit,
        cors_allowed_origins: config.cors_allowed_origins.clone(),
        trusted_proxies: config.trusted_proxies.clone(),
    };
    stack(router, layers, core.sources.clone())
}

/// Ends what runs beside the requests, then the database's connections.
async fn finish(core: Core, jobs: Jobs) -> Result<(), JobFailed> {
    core.tasks.close();
    let _late = tokio::time::timeout(JOB_PATIENCE, core.tasks.wait()).await;
    let stopped = jobs.stop(JOB_PATIENCE).await;
    let _late = tokio::time::timeout(CLOSE_PATIENCE, core.db.close()).await;
    stopped
}

/// What the documents of the routes were made with is tens of megabytes that are free again. The allocator gives pages back
/// to the system when some are freed a second after they became free, which a service that idles never does.
async fn give_memory_back() {
    tokio::time::sleep(GIVE_BACK_AFTER).await;
    drop(std::hint::black_box(Vec::<u8>::with_capacity(GIVEN_BACK)));
}

struct Running<'a> {
    front: &'a Front,
    config: &'a ServerConfig,
    core: &'a Core,
}

impl Running<'_> {
    /// From the first look at the database for as long as all jobs are well.
    async fn live<S: Service>(
        &self,
        mut monitor: Monitor,
        config: S::Config,
        jobs: &mut Jobs,
    ) -> JobFailed {
        monitor.until_checked().await;
        let app = self.build::<S>(config).await;
        let revocations = revocations::started(self.core).await;
        monitor.add(app.probes, app.details);
        monitor.refresh().await;
        let routes = routes(self.core, self.config, app.router);
        self.front.install(routes, app.warm_up);
        let common = retention::common(self.core);
        for job in app.jobs.into_iter().chain(common).chain(revocations) {
            jobs.start(job);
        }
        tracing::info!(service = S::INFO.name, "ready");
        let _tidying = AbortOnDropHandle::new(tokio::spawn(give_memory_back()));
        let watching = monitor.run(CancellationToken::new());
        tokio::select! {
            () = watching => std::future::pending().await,
            failed = jobs.failed() => failed,
        }
    }

    /// What the service needs to be built may be away for a moment, so this does not give up either.
    async fn build<S: Service>(&self, config: S::Config) -> App {
        let (mut pause, longest) = BUILD_PAUSE;
        loop {
            match S::build(self.core.clone(), config.clone()).await {
                Ok(app) => return app,
                Err(error) => {
                    tracing::error!(
                        service = S::INFO.name,
                        error = format!("{error:#}"),
                        "cannot start yet; trying again"
                    );
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }
}
