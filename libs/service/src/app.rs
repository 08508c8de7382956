//! What a service gives to the start-up path.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bz_kernel::ServiceInfo;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;

use crate::config::Config;
use crate::core::Core;

/// One of the platform's services.
pub trait Service: Sized + Send + Sync + 'static {
    /// Its names and ports.
    const INFO: &'static ServiceInfo;
    /// Its own configuration, beside the shared one.
    type Config: Config;

    /// Its OpenAPI document, as committed in `services/<name>/openapi.json`.
    fn openapi() -> OpenApi;

    /// Puts the service together. Called once the database was reached and its schema checked, and again with a
    /// growing pause when it fails.
    fn build(core: Core, config: Self::Config) -> impl Future<Output = anyhow::Result<App>> + Send;
}

/// A service put together: its routes, background jobs and probes.
pub struct App {
    /// The routes, without layers.
    pub router: Router,
    /// What runs beside the requests.
    pub jobs: Vec<Job>,
    /// Dependencies shown in `/health`, beside the database and Redis.
    pub probes: Vec<Probe>,
    /// Further members of the `/health` body.
    pub details: Option<Details>,
    /// What is waited for before it is ready.
    pub warm_up: Option<WarmUp>,
}

/// Answers what a service is busy with before it should get traffic, and nothing once it is not. Must not block.
pub type WarmUp = Arc<dyn Fn() -> Option<&'static str> + Send + Sync>;

/// Makes further members of the `/health` body. Called once a second; must not block.
pub type Details = Arc<dyn Fn() -> serde_json::Map<String, serde_json::Value> + Send + Sync>;

impl App {
    /// A service with routes only.
    #[must_use]
    pub fn new(router: Router) -> Self {
        Self {
            router,
            jobs: Vec::new(),
            probes: Vec::new(),
            details: None,
            warm_up: None,
        }
    }

    /// Keeps `/health/ready` at 503 while this answers a reason, for half a minute at most. Once it was ready the service stays
    /// so.
    #[must_use]
    pub fn with_warm_up(
        mut self,
        busy: impl Fn() -> Option<&'static str> + Send + Sync + 'static,
    ) -> Self {
        self.warm_up = Some(Arc::new(busy));
        self
    }

    /// Adds a background job.
    #[must_use]
    pub fn with_job(mut self, job: Job) -> Self {
        self.jobs.push(job);
        self
    }

    /// Adds a dependency to `/health`.
    #[must_use]
    pub fn with_probe(mut self, probe: Probe) -> Self {
        self.probes.push(probe);
        self
    }

    /// Adds members to the `/health` body.
    #[must_use]
    pub fn with_details(
        mut self,
        details: impl Fn() -> serde_json::Map<String, serde_json::Value> + Send + Sync + 'static,
    ) -> Self {
        self.details = Some(Arc::new(details));
        self
    }
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Work beside the requests: a consumer, a relay, a clean-up. It ends with `Ok` when its token is cancelled (which
/// happens after the last request was answered) or when it is done; ending with an error or a panic stops the
/// process, with a non-zero exit code.
pub struct Job {
    pub(crate) name: &'static str,
    pub(crate) run: Box<dyn FnOnce(CancellationToken) -> BoxFuture<anyhow::Result<()>> + Send>,
}

impl Job {
    /// A named job.
    pub fn new<F>(
        name: &'static str,
        run: impl FnOnce(CancellationToken) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        Self {
            name,
            run: Box::new(move |stop| Box::pin(run(stop))),
        }
    }
}

/// How long a job that works in turns waits before the next one.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// When there was nothing to do.
    pub idle: Duration,
    /// After a failure.
    pub failed: Duration,
}

impl Job {
    /// A job that looks for its work by itself, in turns. A turn answers whether there may be more to do: then the next one
    /// follows at once. A turn that fails is a warning in the log, and is made again. A stop waits for the turn at work, which
    /// gets the token, too, for what it can leave undone.
    pub fn in_turns<F>(
        name: &'static str,
        pace: Pace,
        turn: impl Fn(CancellationToken) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = anyhow::Result<bool>> + Send + 'static,
    {
        Self::new(name, async move |stop| {
            while !stop.is_cancelled() {
                let pause = match turn(stop.clone()).await {
                    Ok(true) => continue,
                    Ok(false) => pace.idle,
                    Err(error) => {
                        let error = format!("{error:#}");
                        tracing::warn!(job = name, error, "the job waits and tries again");
                        pace.failed
                    }
                };
                stop.run_until_cancelled(tokio::time::sleep(pause)).await;
            }
            Ok(())
        })
    }
}

/// A dependency whose state `/health` shows.
#[derive(Clone)]
pub struct Probe {
    pub(crate) name: &'static str,
    pub(crate) check: Arc<dyn Fn() -> BoxFuture<ProbeStatus> + Send + Sync>,
}

impl Probe {
    /// A named check. It runs in the background every few seconds, with a time limit of one second.
    pub fn new<F>(name: &'static str, check: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ProbeStatus> + Send + 'static,
    {
        Self {
            name,
            check: Arc::new(move || Box::pin(check())),
        }
    }
}

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeStatus {
    /// Shown in `/health`.
    pub text: Cow<'static, str>,
    /// Whether the service is whole; it is degraded otherwise.
    pub ok: bool,
}

impl ProbeStatus {
    /// The dependency answers.
    #[must_use]
    pub const fn connected() -> Self {
        Self {
            text: Cow::Borrowed("connected"),
            ok: true,
        }
    }

    /// The dependency does not answer; the service is degraded.
    #[must_use]
    pub const fn disconnected() -> Self {
        Self {
            text: Cow::Borrowed("disconnected"),
            ok: false,
        }
    }

    /// The operator chose to run without it; the service is whole.
    #[must_use]
    pub const fn not_configured() -> Self {
        Self {
            text: Cow::Borrowed("not configured"),
            ok: true,
        }
    }

    /// Connected or not.
    #[must_use]
    pub const fn of(answers: bool) -> Self {
        if answers {
            Self::connected()
        } else {
            Self::disconnected()
        }
    }
}
