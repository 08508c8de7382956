//! Addresses with passwords: the database's and Redis's, whole or in parts.

use bz_kernel::{ExposeSecret, SecretString, ServiceInfo};
use url::Url;

use super::Env;

/// `DATABASE_URL`, or its parts.
pub(super) fn database_url(env: &mut Env, info: &'static ServiceInfo) -> Option<SecretString> {
    let whole = env
        .secret(
            "DATABASE_URL",
            "Address of the database; the role is `<schema>_api` unless it names one.",
        )
        .map(|url| with_role(&url, info))
        .optional();
    let parts = database_parts(env, info);
    match (whole?, parts?) {
        (Some(_), Some(_)) => {
            let message = "is set together with POSTGRES_HOST; keep one of them";
            env.problem("DATABASE_URL", message);
            None
        }
        (None, None) => {
            let message = "is required; set it, or POSTGRES_HOST and POSTGRES_PASSWORD";
            env.problem("DATABASE_URL", message);
            None
        }
        (None, Some(parts)) => parts.assemble(env),
        (whole, None) => whole,
    }
}

struct DatabaseParts {
    host: String,
    port: u16,
    name: String,
    role: String,
    password: Option<SecretString>,
}

/// The parts, when there is a host.
fn database_parts(env: &mut Env, info: &'static ServiceInfo) -> Option<Option<DatabaseParts>> {
    let doc = "Host of the database, instead of DATABASE_URL.";
    let host = env.text("POSTGRES_HOST", doc).optional();
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
    let (port, name, role, password) = (port?, name?, role?, password?);
    Some(host?.map(|host| DatabaseParts {
        host,
        port,
        name,
        role,
        password,
    }))
}

impl DatabaseParts {
    fn assemble(self, env: &mut Env) -> Option<SecretString> {
        let Self {
            host,
            port,
            name,
            role,
            password,
        } = self;
        let Some(password) = password else {
            let message = "is required with POSTGRES_HOST; it has no default";
            env.problem("POSTGRES_PASSWORD", message);
            return None;
        };
        let Some(mut url) = assemble("postgres", &host, port, &role, &password) else {
            env.problem("POSTGRES_HOST", format!("{host:?} is not a host name"));
            return None;
        };
        url.set_path(&name);
        Some(String::from(url).into())
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
pub(super) fn redis_url(env: &mut Env) -> Option<Option<SecretString>> {
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
