//! What every service holds: its database, Redis, time, secrets, token verification, its siblings.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use bz_auth::{ServiceTokens, Verifier};
use bz_events::Redis;
use bz_http::client::Sibling;
use bz_kernel::{CursorSealer, PlatformSecret, ServiceInfo, Sources, platform};
use bz_tenant::{Db, DbConfig};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{CoreConfig, SiblingUrls};

/// The shared part of a service's state, see [`Shared`]. Cheap to clone, which every request does.
#[derive(Clone)]
pub struct Core(Arc<Shared>);

impl Deref for Core {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// What a [`Core`] holds.
pub struct Shared {
    /// The service's names and ports.
    pub info: &'static ServiceInfo,
    /// The service's schema.
    pub db: Db,
    /// What may vanish.
    pub redis: Redis,
    /// Time, randomness, ids.
    pub sources: Sources,
    /// The installation's secret.
    pub secret: PlatformSecret,
    /// Seals and opens list cursors.
    pub cursors: CursorSealer,
    /// Verifies access tokens.
    pub verifier: Verifier,
    /// Tokens of this service for its siblings.
    pub tokens: ServiceTokens,
    /// Where the siblings are.
    pub siblings: SiblingUrls,
    /// The `iss` of access tokens.
    pub issuer: String,
    /// Cancelled at a stop: streams and long polls end on it. Ordinary requests finish and do not look at it.
    pub shutdown: CancellationToken,
    /// Work that outlives its request; a stop waits for it.
    pub tasks: TaskTracker,
}

/// The parts of a [`Core`] that tests replace.
pub struct Parts {
    /// Time and randomness.
    pub sources: Sources,
    /// The service's schema.
    pub db: Db,
    /// Redis, or none.
    pub redis: Redis,
    /// Verifies access tokens.
    pub verifier: Verifier,
    /// Tokens for siblings.
    pub tokens: ServiceTokens,
    /// The installation's secret.
    pub secret: PlatformSecret,
    /// Where the siblings are.
    pub siblings: SiblingUrls,
    /// The `iss` of access tokens.
    pub issuer: String,
}

impl Core {
    /// Puts the parts together.
    #[must_use]
    pub fn assemble(info: &'static ServiceInfo, parts: Parts) -> Self {
        let Parts {
            sources,
            db,
            redis,
            verifier,
            tokens,
            secret,
            siblings,
            issuer,
        } = parts;
        Self(Arc::new(Shared {
            info,
            cursors: CursorSealer::new(&secret, sources.rng.clone()),
            db,
            redis,
            sources,
            secret,
            verifier,
            tokens,
            siblings,
            issuer,
            shutdown: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }))
    }

    /// The real parts, as configured. Connects to nothing yet.
    ///
    /// # Errors
    /// When the address of the database or of Redis cannot be one.
    pub fn from_config(info: &'static ServiceInfo, config: &CoreConfig) -> anyhow::Result<Self> {
        let sources = Sources::system();
        let db = Db::connect_lazy(&DbConfig {
            url: config.database_url.clone(),
            pool_size: config.db_pool_size,
            acquire_timeout: config.db_acquire_timeout,
            schema: info.schema,
        })?;
        let redis = Redis::connect_lazy(config.redis_url.as_ref())?;
        let client = to_identity()?;
        let identity = &config.siblings.identity;
        let tokens = ServiceTokens::new(
            identity,
            client.clone(),
            info.name,
            &config.platform_secret,
            sources.clock.clone(),
        );
        let verifier = verifier(info, config, client, &sources)?;
        let parts = Parts {
            sources,
            db,
            redis,
            verifier,
            tokens,
            secret: config.platform_secret.clone(),
            siblings: config.siblings.clone(),
            issuer: config.issuer.clone(),
        };
        Ok(Self::assemble(info, parts))
    }
}

/// Identity installs the keys it signs with; the others ask it for them.
fn verifier(
    info: &ServiceInfo,
    config: &CoreConfig,
    client: reqwest::Client,
    sources: &Sources,
) -> anyhow::Result<Verifier> {
    let (issuer, clock) = (config.issuer.clone(), sources.clock.clone());
    if info.name == platform::IDENTITY.name {
        return Ok(Verifier::local(issuer, clock));
    }
    let jwks = config.siblings.identity.join("/.well-known/jwks.json")?;
    Ok(Verifier::remote(jwks, issuer, clock, client))
}

/// The client for keys and tokens, which have caches and pauses of their own in place of retries.
pub(crate) fn to_identity() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .connect_timeout(Duration::from_millis(500))
        .timeout(Duration::from_secs(2))
        .pool_idle_timeout(Duration::from_secs(10))
        .tcp_nodelay(true)
        .build()
}

impl Core {
    /// A client to another service. Keep it: its connections and its circuit breaker live with it.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn sibling(&self, info: &'static ServiceInfo) -> reqwest::Result<Sibling> {
        Sibling::new(info.name, self.siblings.of(info), &self.sources)
    }
}

impl FromRef<Core> for Verifier {
    fn from_ref(core: &Core) -> Self {
        core.verifier.clone()
    }
}

impl FromRef<Core> for Db {
    fn from_ref(core: &Core) -> Self {
        core.db.clone()
    }
}
