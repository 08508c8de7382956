//! What the operator's commands are told: the database, the roles' passwords, Redis, where Postgres's programs are.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use bz_kernel::{ExposeSecret, SecretString, ServiceInfo, platform::SERVICES};
use bz_service::config::{ConfigProblems, Env, operator_database, redis_url};
use bz_tenant::migrate::{MigrateError, Target};
use bz_tenant::{Db, DbConfig};
use url::Url;

/// What a command cannot do without, beside the address of the database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needs {
    /// Somebody who may create roles and read everything.
    administrator: bool,
    /// The passwords of the services' logins.
    logins: bool,
    /// The passwords of the migrators.
    migrators: bool,
}

/// How long a command that looks once waits for a database that does not answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

impl Needs {
    /// The address alone; whoever is known logs in.
    pub(crate) const NOTHING: Self = Self {
        administrator: false,
        logins: false,
        migrators: false,
    };
    /// What running the services takes.
    pub(crate) const LOGINS: Self = Self {
        logins: true,
        ..Self::NOTHING
    };
    /// What reading or writing a whole database takes.
    pub(crate) const ADMINISTRATOR: Self = Self {
        administrator: true,
        ..Self::NOTHING
    };
    /// What making the roles takes.
    pub(crate) const BOOTSTRAP: Self = Self {
        administrator: true,
        logins: true,
        ..Self::NOTHING
    };
    /// What migrating without an administrator takes.
    pub(crate) const MIGRATORS: Self = Self {
        migrators: true,
        ..Self::NOTHING
    };

    /// Whether there has to be an administrator.
    pub(crate) const fn administrator(self) -> bool {
        self.administrator
    }
}

/// The operator's configuration.
#[derive(Debug, Clone)]
pub(crate) struct Operator {
    /// The database, as its administrator when there is one.
    pub(crate) database_url: SecretString,
    /// Whether the address has an administrator's login.
    pub(crate) administrator: bool,
    /// Redis; none runs without.
    pub(crate) redis_url: Option<SecretString>,
    /// Where `pg_dump` and its like are; on the `PATH` when unset.
    pub(crate) pg_bin: Option<PathBuf>,
    /// Passwords by role: `crm_api`, `crm_migrator`.
    passwords: BTreeMap<String, SecretString>,
}

impl Operator {
    /// Reads the configuration of the process.
    pub(crate) fn from_process(needs: Needs) -> Result<Self, ConfigProblems> {
        let mut env = Env::from_process();
        let read = Self::read(&mut env, needs);
        env.finish()?;
        read.ok_or_else(|| ConfigProblems(Vec::new()))
    }

    /// Reads every variable and leaves the problems in `env`.
    pub(crate) fn read(env: &mut Env, needs: Needs) -> Option<Self> {
        let database = operator_database(env);
        let redis_url = redis_url(env);
        let pg_bin = env
            .text(
                "PG_BIN",
                "Folder of pg_dump and pg_restore, for backup and restore; PATH is searched when unset.",
            )
            .optional();
        let passwords = passwords(env, needs);
        let database = database?;
        if needs.administrator && !database.administrator {
            let message = "has no user; this command needs an administrator: name one there, or set POSTGRES_USER and \
                           POSTGRES_PASSWORD";
            env.problem("DATABASE_URL", message);
            return None;
        }
        Some(Self {
            database_url: database.url,
            administrator: database.administrator,
            redis_url: redis_url?,
            pg_bin: pg_bin?.map(PathBuf::from),
            passwords: passwords?,
        })
    }

    /// The database, with whoever is known to log in.
    pub(crate) fn target(&self) -> Target {
        let target = Target::new(self.database_url.clone()).with_passwords(self.passwords.clone());
        if self.administrator {
            target
        } else {
            target.without_administrator()
        }
    }

    /// The same, but nobody logs in as the administrator.
    pub(crate) fn without_administrator(self) -> Self {
        Self {
            administrator: false,
            ..self
        }
    }

    /// The database, as soon as it answers: a network policy lets a pod through only some seconds after its start.
    pub(crate) async fn reached(&self, limit: Duration) -> Result<Target, MigrateError> {
        let target = self.target();
        let say = |state: &str| eprintln!("bizosaas: {state}");
        target.wait_until_reachable(limit, say).await?;
        Ok(target)
    }

    /// The database as the weak login of one service.
    pub(crate) fn service_url(&self, service: &ServiceInfo) -> anyhow::Result<SecretString> {
        let role = service.api_role();
        let password = self
            .passwords
            .get(&role)
            .map_or("", ExposeSecret::expose_secret);
        let mut url = self.database_address()?;
        let set = url
            .set_username(&role)
            .and_then(|()| url.set_password(Some(password)));
        set.map_err(|()| anyhow::anyhow!("DATABASE_URL has no host"))?;
        Ok(String::from(url).into())
    }

    /// The database as a service has it, through one connection. Connects when it is used.
    pub(crate) fn log_in(&self, service: &ServiceInfo, patience: Duration) -> anyhow::Result<Db> {
        Ok(Db::connect_lazy(&DbConfig {
            url: self.service_url(service)?,
            pool_size: 1,
            acquire_timeout: patience,
            schema: service.schema,
        })?)
    }

    /// The address in its parts.
    pub(crate) fn database_address(&self) -> anyhow::Result<Url> {
        Url::parse(self.database_url.expose_secret())
            .map_err(|_| anyhow::anyhow!("DATABASE_URL is not a URL"))
    }
}

/// The passwords that are set, by role; a problem for each that is needed and not there.
fn passwords(env: &mut Env, needs: Needs) -> Option<BTreeMap<String, SecretString>> {
    let mut passwords = BTreeMap::new();
    let mut complete = true;
    for (service, [api, migrator]) in SERVICES.iter().zip(PASSWORDS) {
        let migrator_role = format!("{}_migrator", service.schema);
        for (role, variable, doc, needed) in [
            (service.api_role(), api, API_PASSWORD, needs.logins),
            (migrator_role, migrator, MIGRATOR_PASSWORD, needs.migrators),
        ] {
            let read = env.secret(variable, doc);
            let read = match needed {
                true => read.required().map(Some),
                false => read.optional(),
            };
            complete &= read.is_some();
            passwords.extend(read.flatten().map(|password| (role, password)));
        }
    }
    complete.then_some(passwords)
}

const API_PASSWORD: &str = "Password of the service's login.";
const MIGRATOR_PASSWORD: &str = "Password of the service's migrator; the administrator migrates when unset. Required by \
                                 `migrate --skip-bootstrap`.";

/// Variables with the passwords of each service's login and migrator, in the order of [`SERVICES`].
const PASSWORDS: [[&str; 2]; 5] = [
    ["IDENTITY_DB_PASSWORD", "IDENTITY_MIGRATOR_PASSWORD"],
    ["AI_DB_PASSWORD", "AI_MIGRATOR_PASSWORD"],
    ["CHAT_DB_PASSWORD", "CHAT_MIGRATOR_PASSWORD"],
    ["CRM_DB_PASSWORD", "CRM_MIGRATOR_PASSWORD"],
    ["ANALYTICS_DB_PASSWORD", "ANALYTICS_MIGRATOR_PASSWORD"],
];

#[cfg(test)]
mod tests {
    use super::*;

    fn operator() -> Operator {
        let mut vars = vec![(
            "DATABASE_URL",
            "postgres://admin:secret@db.example:5433/platform?sslmode=prefer",
        )];
        vars.extend(PASSWORDS.iter().map(|[api, _]| (*api, "p@ss:word/1")));
        Operator::read(&mut Env::from_map(vars), Needs::BOOTSTRAP).unwrap()
    }

    fn problems(needs: Needs, vars: &[(&str, &str)]) -> Vec<String> {
        let mut env = Env::from_map(vars.iter().copied());
        let read = Operator::read(&mut env, needs);
        let problems = env.finish().err().map_or_else(Vec::new, |found| found.0);
        assert_eq!(read.is_some(), problems.is_empty());
        problems.into_iter().map(|problem| problem.name).collect()
    }

    #[test]
    fn each_service_gets_its_own_login_on_the_same_database() {
        let url = operator().service_url(&bz_kernel::platform::CRM).unwrap();
        assert_eq!(
            url.expose_secret(),
            "postgres://crm_api:p%40ss%3Aword%2F1@db.example:5433/platform?sslmode=prefer"
        );
    }

    #[test]
    fn the_variables_are_named_after_the_schemas_in_their_order() {
        for (service, [api, migrator]) in SERVICES.iter().zip(PASSWORDS) {
            let schema = service.schema.to_uppercase();
            assert_eq!(
                (api, migrator),
                (
                    &*format!("{schema}_DB_PASSWORD"),
                    &*format!("{schema}_MIGRATOR_PASSWORD")
                )
            );
        }
    }

    #[test]
    fn everything_that_a_command_needs_and_has_not_is_said_at_once() {
        assert_eq!(problems(Needs::BOOTSTRAP, &[]).len(), 6);
        assert_eq!(problems(Needs::NOTHING, &[]), ["DATABASE_URL"]);
        let address = [("POSTGRES_HOST", "db"), ("CACHE_HOST", "cache")];
        assert!(problems(Needs::NOTHING, &address).is_empty());
        assert_eq!(
            problems(Needs::LOGINS, &address),
            PASSWORDS.map(|[api, _]| api)
        );
        assert_eq!(
            problems(Needs::MIGRATORS, &address),
            PASSWORDS.map(|[_, migrator]| migrator)
        );
        assert_eq!(problems(Needs::ADMINISTRATOR, &address), ["DATABASE_URL"]);
    }

    #[test]
    fn the_parts_make_the_same_address_as_the_whole() {
        let read = |vars: &[(&str, &str)]| {
            let mut env = Env::from_map(vars.iter().copied());
            let operator = Operator::read(&mut env, Needs::ADMINISTRATOR).unwrap();
            operator.database_url.expose_secret().to_owned()
        };
        let parts = [
            ("POSTGRES_HOST", "db"),
            ("POSTGRES_PORT", "tcp://10.43.0.7:5433"),
            ("POSTGRES_PASSWORD", "p@ss"),
        ];
        let whole = "postgres://postgres:p%40ss@db:5433/bizosaas";
        assert_eq!(read(&parts), whole);
        assert_eq!(read(&[("DATABASE_URL", whole)]), whole);
    }
}
