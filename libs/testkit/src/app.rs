//! A whole service in process: its real routes, layers, database and configuration, with a clock that stands still.

use std::{
    collections::BTreeMap,
    marker::PhantomData,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bz_auth::{ServiceTokens, Verifier};
use bz_events::Redis;
use bz_kernel::{Clock, ExposeSecret, FixedClock, Rng, ServiceInfo, Sources};
use bz_service::{
    App, Core, Job, Service, api_keys,
    config::Env,
    core::Parts,
    docs::Docs,
    front::Front,
    health::Health,
    lifecycle::Jobs,
    monitor::Monitor,
    revocations,
    run::{Settings, routes},
    server::{Handler, Limits, Server},
};
use bz_tenant::{Db, DbConfig};
use tokio::{net::TcpListener, sync::Mutex, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    Client, FaultProxy, ISSUER, NOW, Tenant, TenantClients, TestDb, Tokens, checks::Subject,
    client::Route, openapi::Document,
};

const PLATFORM_SECRET: &str = "the platform secret of the tests";
const RNG_SEED: u64 = 1;
const JOB_PATIENCE: Duration = Duration::from_secs(5);

/// A service under test, with acme and globex as its tenants.
///
/// ```ignore
/// let app = TestApp::<Crm>::start().await;
/// let lead = app.acme.owner.post("/api/leads", json!({ "email": "ada@example.com" })).await.assert_status(201).json();
/// ```
pub struct TestApp<S: Service> {
    /// The tenant that tests work in.
    pub acme: TenantClients,
    /// The other tenant.
    pub globex: TenantClients,
    /// Somebody without a token.
    pub anonymous: Client,
    /// Signs further tokens.
    pub tokens: Tokens,
    /// Moves the clock of the service.
    pub clock: FixedClock,
    /// What the service was built from.
    pub core: Core,
    /// The proxy in front of the database, when the builder asked for one.
    pub proxy: Option<FaultProxy>,
    /// The database, to arrange and to look at.
    pub database: Arc<TestDb>,
    document: OnceLock<Document>,
    front: Arc<Front>,
    monitor: Mutex<Monitor>,
    waiting: Vec<Job>,
    jobs: Option<Jobs>,
    listeners: std::sync::Mutex<Vec<JoinHandle<()>>>,
    service: PhantomData<S>,
}

/// How a [`TestApp`] differs from the ordinary one.
pub struct TestAppBuilder<S> {
    env: BTreeMap<String, String>,
    database: Option<Arc<TestDb>>,
    proxied: bool,
    time: (Sources, FixedClock),
    service: PhantomData<S>,
}

impl<S: Service> TestApp<S> {
    /// The service on a fresh database, without Redis and without siblings.
    ///
    /// # Panics
    /// When it cannot be put together.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// The same with differences.
    #[must_use]
    pub fn builder() -> TestAppBuilder<S> {
        let (clock, hand) = Clock::fixed(NOW);
        let time = (
            Sources {
                clock,
                rng: Rng::seeded(RNG_SEED),
            },
            hand,
        );
        TestAppBuilder {
            env: BTreeMap::new(),
            database: None,
            proxied: false,
            time,
            service: PhantomData,
        }
    }

    /// What the checks of operations work on.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            document: self.document.get_or_init(|| Document::of(&S::openapi())),
            acme: &self.acme,
            globex: &self.globex,
            anonymous: &self.anonymous,
            tokens: &self.tokens,
        }
    }

    /// The service's database handle, with its weak role.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.core.db
    }

    /// Serves on a free port as well, for siblings and other HTTP clients; answers the base address.
    ///
    /// # Panics
    /// When no port can be bound.
    pub async fn listen(&self) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let server = Server::new(vec![listener], LIMITS, Arc::clone(&self.front));
        let serving = tokio::spawn(server.run(CancellationToken::new()));
        self.listeners
            .lock()
            .expect("nobody panics with the lock")
            .push(serving);
        format!("http://{address}").parse().expect("an address")
    }

    /// Starts the service's background jobs, which do not run otherwise.
    pub fn start_jobs(&mut self) {
        let jobs = self.jobs.get_or_insert_with(Jobs::new);
        for job in self.waiting.drain(..) {
            jobs.start(job);
        }
    }

    /// Stops the jobs and waits for them.
    ///
    /// # Panics
    /// When one has failed or does not stop.
    pub async fn stop_jobs(&mut self) {
        if let Some(jobs) = self.jobs.take() {
            jobs.stop(JOB_PATIENCE)
                .await
                .expect("the jobs are well and stop");
        }
    }

    /// Looks at the dependencies, which `/health` then shows. In production this happens once a second.
    pub async fn refresh_health(&self) {
        self.monitor.lock().await.refresh().await;
    }
}

impl<S: Service> Drop for TestApp<S> {
    fn drop(&mut self) {
        for serving in self.listeners.get_mut().into_iter().flatten() {
            serving.abort();
        }
    }
}

const LIMITS: Limits = Limits {
    max_connections: 256,
    header_read_timeout: Duration::from_secs(10),
    keep_alive_timeout: Duration::from_secs(60),
};

impl<S: Service> TestAppBuilder<S> {
    /// Sets an environment variable of the service.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.insert(name.to_owned(), value.into());
        self
    }

    /// Gives it the real Redis of the tests; [`crate::redis_url`], or a proxy in front of it.
    #[must_use]
    pub fn redis(self, url: impl Into<String>) -> Self {
        self.env("REDIS_URL", url)
    }

    /// Tells it where a sibling is.
    #[must_use]
    pub fn sibling(self, sibling: &ServiceInfo, url: &Url) -> Self {
        self.env(sibling.url_variable, url.as_str())
    }

    /// Gives it a database in which something was arranged.
    #[must_use]
    pub fn database(mut self, database: impl Into<Arc<TestDb>>) -> Self {
        self.database = Some(database.into());
        self
    }

    /// Gives it the database, the time and the randomness of another service.
    #[must_use]
    pub fn beside<T: Service>(mut self, other: &TestApp<T>) -> Self {
        self.time = (other.core.sources.clone(), other.clock.clone());
        self.database(Arc::clone(&other.database))
    }

    /// Puts a proxy between the service and its database.
    #[must_use]
    pub fn proxy(mut self) -> Self {
        self.proxied = true;
        self
    }

    /// Puts the service together.
    ///
    /// # Panics
    /// When it cannot be.
    pub async fn start(mut self) -> TestApp<S> {
        let database = match self.database.take() {
            Some(database) => database,
            None => Arc::new(TestDb::new().await),
        };
        let proxy = if self.proxied {
            Some(database.proxy().await)
        } else {
            None
        };
        let (sources, clock) = self.time.clone();
        let tokens = Tokens::new(sources.clone());
        let settings = self.settings(&database, proxy.as_ref());
        let core = core::<S>(&settings, sources, &tokens);
        let app = S::build(core.clone(), settings.own.clone())
            .await
            .expect("the service can be built");
        let (front, monitor, waiting) = assemble::<S>(&core, &settings, app).await;
        let route = route(Arc::clone(&front));
        TestApp {
            acme: TenantClients::new(Tenant::Acme, &route, &tokens),
            globex: TenantClients::new(Tenant::Globex, &route, &tokens),
            anonymous: Client::new(route, None),
            document: OnceLock::new(),
            monitor: Mutex::new(monitor),
            jobs: None,
            listeners: std::sync::Mutex::default(),
            service: PhantomData,
            tokens,
            clock,
            core,
            proxy,
            database,
            front,
            waiting,
        }
    }

    /// The service's configuration, read as in production.
    fn settings(&self, database: &TestDb, proxy: Option<&FaultProxy>) -> Settings<S> {
        let schema = S::INFO.schema;
        let url = proxy.map_or_else(
            || database.url(schema),
            |proxy| database.url_through(proxy, schema),
        );
        let mut env = BTreeMap::from([
            ("DATABASE_URL".to_owned(), url.expose_secret().to_owned()),
            ("PLATFORM_SECRET".to_owned(), PLATFORM_SECRET.to_owned()),
            ("ISSUER".to_owned(), ISSUER.to_owned()),
        ]);
        env.extend(self.env.clone());
        match Settings::read(&mut Env::from_map(env)) {
            Ok(settings) => settings,
            Err(problems) => panic!("the configuration is wrong:\n{problems}"),
        }
    }
}

/// The shared parts as in production, but with the time, the randomness and the key of the tests.
fn core<S: Service>(settings: &Settings<S>, sources: Sources, tokens: &Tokens) -> Core {
    let config = &settings.core;
    let db = DbConfig {
        url: config.database_url.clone(),
        pool_size: config.db_pool_size,
        acquire_timeout: config.db_acquire_timeout,
        schema: S::INFO.schema,
    };
    let verifier = Verifier::local(config.issuer.clone(), sources.clock.clone());
    verifier.install(&tokens.jwks());
    let parts = Parts {
        sources,
        db: Db::connect_lazy(&db).expect("the address of a test database is one"),
        redis: Redis::connect_lazy(config.redis_url.as_ref())
            .expect("the address of the Redis of tests is one"),
        verifier,
        tokens: ServiceTokens::fixed(tokens.service(S::INFO.name, "events:read")),
        secret: config.platform_secret.clone(),
        siblings: config.siblings.clone(),
        issuer: config.issuer.clone(),
    };
    let core = Core::assemble(S::INFO, parts);
    api_keys::install(&core).expect("a client to identity can be made");
    core
}

/// Puts health and documentation in front of the routes, as `bz_service::run` does.
async fn assemble<S: Service>(
    core: &Core,
    settings: &Settings<S>,
    app: App,
) -> (Arc<Front>, Monitor, Vec<Job>) {
    let health = Arc::new(Health::new(S::INFO, core.sources.clock.clone()));
    let mut monitor = Monitor::new(core.db.clone(), core.redis.clone(), Arc::clone(&health))
        .expect("the monitor can be made");
    let front = Front::new(health, Docs::new(S::openapi));
    let routes = routes(core, &settings.core.server, app.router);
    front.install(routes, app.warm_up);
    monitor.add(app.probes, app.details);
    monitor.refresh().await;
    let mut jobs = app.jobs;
    jobs.extend(revocations::job(core).expect("a client to identity can be made"));
    (Arc::new(front), monitor, jobs)
}

fn route(front: Arc<Front>) -> Route {
    Route::new(tower::service_fn(move |request| {
        let front = Arc::clone(&front);
        async move { Ok(front.handle(request).await) }
    }))
}
