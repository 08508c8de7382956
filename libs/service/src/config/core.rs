//! The configuration that all services share.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bz_kernel::{ExposeSecret, PlatformSecret, SecretString, ServiceInfo, platform};
use url::Url;

use super::Env;
use crate::telemetry::TelemetryConfig;

/// What every service needs: where to listen, its database, its siblings, its limits.
#[derive(Debug, Clone)]
pub struct CoreConfig {
    /// The listener and its limits.
    pub server: ServerConfig,
    /// Logs, traces and metrics.
    pub telemetry: TelemetryConfig,
    /// Address of the database, with the role and its password.
    pub database_url: SecretString,
    /// Most connections to the database.
    pub db_pool_size: u32,
    /// Longest wait for a free connection.
    pub db_acquire_timeout: Duration,
    /// Address of Redis; `None` runs without.
    pub redis_url: Option<SecretString>,
    /// The installation's secret.
    pub platform_secret: PlatformSecret,
    /// Where the siblings are.
    pub siblings: SiblingUrls,
    /// The `iss` of access tokens.
    pub issuer: String,
}

/// Where and how a service listens, and how it stops.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Addresses of the API.
    pub listen: Vec<SocketAddr>,
    /// Address of `/metrics`.
    pub admin: SocketAddr,
    /// Connections served at once; further ones wait in the backlog.
    pub max_connections: usize,
    /// Longest time in which a request's head must arrive.
    pub header_read_timeout: Duration,
    /// Longest time that a connection may idle between two requests.
    pub keep_alive_timeout: Duration,
    /// Longest time a request may take.
    pub request_timeout: Duration,
    /// Largest request body, in bytes.
    pub body_limit: usize,
    /// Origins that browsers may call from; empty for none.
    pub cors_allowed_origins: Vec<String>,
    /// How long readiness is 503 before the listener closes.
    pub drain_delay: Duration,
    /// Longest wait for requests in flight.
    pub grace_period: Duration,
    /// Threads that run requests; 0 chooses by the machine's cores.
    pub worker_threads: usize,
}

/// Base addresses of the five services.
#[derive(Debug, Clone)]
pub struct SiblingUrls {
    /// Tenants, users, tokens.
    pub identity: Url,
    /// Agents and the LLM gateway.
    pub ai_orchestrator: Url,
    /// Conversations.
    pub chatbot: Url,
    /// Leads and to-dos.
    pub crm: Url,
    /// Events and dashboards.
    pub analytics: Url,
}

impl CoreConfig {
    /// Reads the shared variables for one service.
    pub fn read(env: &mut Env, info: &'static ServiceInfo) -> Option<Self> {
        let server = ServerConfig::read(env, info);
        let telemetry = TelemetryConfig::read(env);
        let database_url = database_url(env, info);
        let db_pool_size = env
            .number("DB_POOL_SIZE", "Most connections to the database.")
            .within(1, 1000)
            .or("10");
        let db_acquire_timeout = env
            .duration("DB_ACQUIRE_TIMEOUT", "Longest wait for a free connection.")
            .or("1s");
        let redis_url = redis_url(env);
        let platform_secret = env
            .secret(
                "PLATFORM_SECRET",
                "The installation's secret, the same for all services; at least 32 bytes.",
            )
            .map(|secret| PlatformSecret::new(secret).map_err(|error| error.to_string()))
            .required();
        let siblings = SiblingUrls::read(env);
        let issuer = env
            .text(
                "ISSUER",
                "The `iss` of access tokens, the same for all services.",
            )
            .or("http://localhost:8001");
        Some(Self {
            server: server?,
            telemetry: telemetry?,
            database_url: database_url?,
            db_pool_size: db_pool_size?,
            db_acquire_timeout: db_acquire_timeout?,
            redis_url: redis_url?,
            platform_secret: platform_secret?,
            siblings: siblings?,
            issuer: issuer?,
        })
    }
}

impl ServerConfig {
    fn read(env: &mut Env, info: &'static ServiceInfo) -> Option<Self> {
        let host: Option<IpAddr> = env
            .parsed("HOST", "IP address", "Address to listen on.")
            .or("0.0.0.0");
        let port: Option<u16> = env
            .number("PORT", "Port of the API.")
            .shown_default("8001 to 8005")
            .or(info.port.to_string());
        let extra_ports = env
            .list("EXTRA_PORTS", "Further ports of the API.")
            .map(ports)
            .or("");
        let admin_port: Option<u16> = env
            .number("ADMIN_PORT", "Port of /metrics and /log-filter.")
            .shown_default("9001 to 9005")
            .or(info.admin_port.to_string());
        let max_connections = env
            .number(
                "MAX_CONNECTIONS",
                "Connections served at once; further ones wait.",
            )
            .within(1, 1_000_000)
            .or("2048");
        let header_read_timeout = env
            .duration(
                "HEADER_READ_TIMEOUT",
                "Longest time in which a request's head must arrive.",
            )
            .or("10s");
        let keep_alive_timeout = env
            .duration("KEEP_ALIVE_TIMEOUT", "Longest time that a connection may idle between two requests; longer than that of proxies before it.")
            .or("75s");
        let request_timeout = env
            .duration("REQUEST_TIMEOUT", "Longest time a request may take.")
            .or("10s");
        let body_limit = env
            .number("BODY_LIMIT", "Largest request body, in bytes.")
            .or("1048576");
        let cors_allowed_origins = env
            .list(
                "CORS_ALLOWED_ORIGINS",
                "Origins that browsers may call from; `*` for any. None when empty.",
            )
            .or("");
        let drain_delay = env
            .duration(
                "DRAIN_DELAY",
                "How long /health/ready answers 503 before the listener closes.",
            )
            .or("5s");
        let grace_period = env
            .duration(
                "GRACE_PERIOD",
                "Longest wait for requests in flight at a stop.",
            )
            .or("20s");
        let worker_threads = env
            .number(
                "WORKER_THREADS",
                "Threads that run requests; 0 is one per core, at most 4.",
            )
            .within(0, 256)
            .or("0");
        let (host, port) = (host?, port?);
        let ports = std::iter::once(port).chain(extra_ports?);
        Some(Self {
            listen: ports.map(|port| SocketAddr::new(host, port)).collect(),
            admin: SocketAddr::new(host, admin_port?),
            max_connections: max_connections?,
            header_read_timeout: header_read_timeout?,
            keep_alive_timeout: keep_alive_timeout?,
            request_timeout: request_timeout?,
            body_limit: body_limit?,
            cors_allowed_origins: cors_allowed_origins?,
            drain_delay: drain_delay?,
            grace_period: grace_period?,
            worker_threads: worker_threads?,
        })
    }
}

impl SiblingUrls {
    fn read(env: &mut Env) -> Option<Self> {
        let mut url = |info: &ServiceInfo, doc| {
            env.url(info.url_variable, doc)
                .or(format!("http://127.0.0.1:{}", info.port))
        };
        let identity = url(&platform::IDENTITY, "Base address of identity.");
        let ai_orchestrator = url(
            &platform::AI_ORCHESTRATOR,
            "Base address of the AI orchestrator.",
        );
        let chatbot = url(&platform::CHATBOT, "Base address of the chatbot.");
        let crm = url(&platform::CRM, "Base address of the CRM.");
        let analytics = url(&platform::ANALYTICS, "Base address of analytics.");
        Some(Self {
            identity: identity?,
            ai_orchestrator: ai_orchestrator?,
            chatbot: chatbot?,
            crm: crm?,
            analytics: analytics?,
        })
    }

    /// The base address of one service.
    #[must_use]
    pub fn of(&self, info: &ServiceInfo) -> &Url {
        match info.name {
            "identity" => &self.identity,
            "ai-orchestrator" => &self.ai_orchestrator,
            "chatbot" => &self.chatbot,
            "crm" => &self.crm,
            _ => &self.analytics,
        }
    }
}

fn ports(items: Vec<String>) -> Result<Vec<u16>, String> {
    let parse = |item: String| item.parse().map_err(|_| format!("{item:?} is not a port"));
    items.into_iter().map(parse).collect()
}

/// `DATABASE_URL`, or its parts.
fn database_url(env: &mut Env, info: &'static ServiceInfo) -> Option<SecretString> {
    let whole = env
        .secret(
            "DATABASE_URL",
            "Address of the database; the role is `<schema>_api` unless it names one.",
        )
        .map(|url| with_role(&url, info))
        .optional();
    let host = env
        .text(
            "POSTGRES_HOST",
            "Host of the database, instead of DATABASE_URL.",
        )
        .optional();
    let port = dependency_port(env, "POSTGRES_PORT", "Port of the database.", "5432");
    let name = env
        .text("POSTGRES_DB", "Name of the database.")
        .or("bizosaas");
    let role = env
        .text("POSTGRES_USER", "Role in the database.")
        .shown_default("<schema>_api")
        .or(info.api_role());
    let password = env
        .secret("POSTGRES_PASSWORD", "Password of the role.")
        .optional();
    match (whole?, host?) {
        (Some(_), Some(_)) => {
            env.problem(
                "DATABASE_URL",
                "is set together with POSTGRES_HOST; keep one of them",
            );
            None
        }
        (Some(url), None) => Some(url),
        (None, None) => {
            env.problem(
                "DATABASE_URL",
                "is required; set it, or POSTGRES_HOST and POSTGRES_PASSWORD",
            );
            None
        }
        (None, Some(host)) => {
            let Some(password) = password? else {
                env.problem(
                    "POSTGRES_PASSWORD",
                    "is required with POSTGRES_HOST; it has no default",
                );
                return None;
            };
            let address = assemble("postgres", &host, port?, &role?, &password);
            let Some(mut url) = address else {
                env.problem("POSTGRES_HOST", format!("{host:?} is not a host name"));
                return None;
            };
            url.set_path(&name?);
            Some(String::from(url).into())
        }
    }
}

fn with_role(url: &SecretString, info: &ServiceInfo) -> Result<SecretString, String> {
    let advice = || "write postgres://user:password@host:5432/database".to_owned();
    let mut url = Url::parse(url.expose_secret()).map_err(|_| advice())?;
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err(advice());
    }
    if url.username().is_empty() && url.has_host() {
        url.set_username(&info.api_role()).map_err(|()| advice())?;
    }
    Ok(String::from(url).into())
}

/// `REDIS_URL`, or `CACHE_HOST` and its companions, or none.
fn redis_url(env: &mut Env) -> Option<Option<SecretString>> {
    let whole = env
        .secret(
            "REDIS_URL",
            "Address of Redis or Dragonfly. Without it the service runs degraded.",
        )
        .check(|url| match Url::parse(url.expose_secret()) {
            Ok(url) if matches!(url.scheme(), "redis" | "rediss" | "unix" | "redis+unix") => Ok(()),
            Ok(_) | Err(_) => Err("write redis://host:6379/0".to_owned()),
        })
        .optional();
    let host = env
        .text("CACHE_HOST", "Host of Redis, instead of REDIS_URL.")
        .optional();
    let port = dependency_port(env, "CACHE_PORT", "Port of Redis.", "6379");
    let password = env
        .secret("CACHE_PASSWORD", "Password of Redis.")
        .optional();
    match (whole?, host?) {
        (Some(_), Some(_)) => {
            env.problem(
                "REDIS_URL",
                "is set together with CACHE_HOST; keep one of them",
            );
            None
        }
        (Some(url), None) => Some(Some(url)),
        (None, None) => Some(None),
        (None, Some(host)) => {
            let password = password?.unwrap_or_else(|| String::new().into());
            let Some(url) = assemble("redis", &host, port?, "", &password) else {
                env.problem("CACHE_HOST", format!("{host:?} is not a host name"));
                return None;
            };
            Some(Some(String::from(url).into()))
        }
    }
}

/// Kubernetes gives `POSTGRES_PORT=tcp://10.43.0.7:5432` to every pod beside a Service that is named `postgres`.
fn dependency_port(
    env: &mut Env,
    name: &'static str,
    doc: &'static str,
    default: &str,
) -> Option<u16> {
    let number = |text: String| {
        let digits = text.rsplit(':').next().unwrap_or_default();
        digits.parse().map_err(|_| "write a port number".to_owned())
    };
    env.text(name, doc).map(number).or(default)
}

fn assemble(
    scheme: &str,
    host: &str,
    port: u16,
    user: &str,
    password: &SecretString,
) -> Option<Url> {
    let mut url = Url::parse(&format!("{scheme}://{host}:{port}")).ok()?;
    url.set_username(user).ok()?;
    let password = password.expose_secret();
    url.set_password(Some(password).filter(|password| !password.is_empty()))
        .ok()?;
    Some(url)
}
