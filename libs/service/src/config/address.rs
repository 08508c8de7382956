//! Addresses with passwords: the database's and Redis's, whole or in parts.

use bz_kernel::{ExposeSecret, SecretString, ServiceInfo};
use url::Url;

use super::Env;

/// `DATABASE_URL`, or its parts, for a service.
pub(super) fn database_url(env: &mut Env, info: &'static ServiceInfo) -> Option<SecretString> {
    let reader = Reader {
        whole: "Address of the database; the role is `<schema>_api` unless it names one.",
        role: info.api_role(),
        shown_role: "<schema>_api",
    };
    match reader.read(env)? {
        Database::Whole(url) => {
            let url = with_role(&url, &reader.role);
            url.map_err(|advice| env.problem("DATABASE_URL", advice))
                .ok()
        }
        Database::Parts(parts) if parts.password.is_none() => {
            let message = "is required with POSTGRES_HOST; it has no default";
            env.problem("POSTGRES_PASSWORD", message);
            None
        }
        Database::Parts(parts) => parts.assemble(env),
    }
}

/// The operator's database. Not every command needs an administrator: the services' own logins do much of it.
#[derive(Debug, Clone)]
pub struct OperatorDatabase {
    /// The address, with the administrator's login when there is one.
    pub url: SecretString,
    /// Whether the address has a login.
    pub administrator: bool,
}

/// `DATABASE_URL`, or its parts, for the operator. The administrator is known when the address names a user, or when
/// there is a `POSTGRES_PASSWORD`.
pub fn operator_database(env: &mut Env) -> Option<OperatorDatabase> {
    let reader = Reader {
        whole: "The database, as an administrator who may create roles; without a user where only the services' logins \
                are needed.",
        role: "postgres".to_owned(),
        shown_role: "postgres",
    };
    match reader.read(env)? {
        Database::Whole(url) => {
            let administrator =
                Url::parse(url.expose_secret()).is_ok_and(|url| !url.username().is_empty());
            Some(OperatorDatabase { url, administrator })
        }
        Database::Parts(parts) => {
            let administrator = parts.password.is_some();
            let url = parts.assemble(env)?;
            Some(OperatorDatabase { url, administrator })
        }
    }
}

/// Whose address is read: the words of the reference, and the role when the parts name none.
struct Reader {
    whole: &'static str,
    role: String,
    shown_role: &'static str,
}

enum Database {
    Whole(SecretString),
    Parts(DatabaseParts),
}

impl Reader {
    fn read(&self, env: &mut Env) -> Option<Database> {
        let whole = env
            .secret("DATABASE_URL", self.whole)
            .check(|url| postgres_url(url).map(|_| ()))
            .optional();
        let parts = self.parts(env);
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
            (None, Some(parts)) => Some(Database::Parts(parts)),
            (Some(url), None) => Some(Database::Whole(url)),
        }
    }

    /// The parts, when there is a host.
    fn parts(&self, env: &mut Env) -> Option<Option<DatabaseParts>> {
        let doc = "Host of the database, instead of DATABASE_URL.";
        let host = env.text("POSTGRES_HOST", doc).optional();
        let port = dependency_port(env, "POSTGRES_PORT", "Port of the database.", "5432");
        let name = env
            .text("POSTGRES_DB", "Name of the database.")
            .or("bizosaas");
        let role = env
            .text("POSTGRES_USER", "Role in the database.")
            .shown_default(self.shown_role)
            .or(self.role.as_str());
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
}

struct DatabaseParts {
    host: String,
    port: u16,
    name: String,
    role: String,
    password: Option<SecretString>,
}

impl DatabaseParts {
    /// The address; without a password there is no login in it.
    fn assemble(self, env: &mut Env) -> Option<SecretString> {
        let Self {
            host,
            port,
            name,
            role,
            password,
        } = self;
        let nobody = || (String::new(), String::new().into());
        let (role, password) = password.map_or_else(nobody, |password| (role, password));
        let Some(mut url) = assemble("postgres", &host, port, &role, &password) else {
            env.problem("POSTGRES_HOST", format!("{host:?} is not a host name"));
            return None;
        };
        url.set_path(&name);
        Some(String::from(url).into())
    }
}

fn advice() -> String {
    "write postgres://user:password@host:5432/database".to_owned()
}

fn postgres_url(url: &SecretString) -> Result<Url, String> {
    let url = Url::parse(url.expose_secret()).map_err(|_| advice())?;
    if matches!(url.scheme(), "postgres" | "postgresql") {
        Ok(url)
    } else {
        Err(advice())
    }
}

fn with_role(url: &SecretString, role: &str) -> Result<SecretString, String> {
    let mut url = postgres_url(url)?;
    if url.username().is_empty() && url.has_host() {
        url.set_username(role).map_err(|()| advice())?;
    }
    Ok(String::from(url).into())
}

/// `REDIS_URL`, or `CACHE_HOST` and its companions, or none.
pub fn redis_url(env: &mut Env) -> Option<Option<SecretString>> {
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
