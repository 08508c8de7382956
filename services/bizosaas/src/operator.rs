//! What the operator's commands are told: the administrator's database, the roles' passwords, Redis.

use std::collections::BTreeMap;

use bz_kernel::{ExposeSecret, SecretString, ServiceInfo, platform::SERVICES};
use bz_service::config::{ConfigProblems, Env};
use bz_tenant::migrate::Target;
use url::Url;

/// The operator's configuration.
#[derive(Debug, Clone)]
pub(crate) struct Operator {
    /// The database, as its administrator.
    pub(crate) database_url: SecretString,
    /// Redis; none runs without.
    pub(crate) redis_url: Option<SecretString>,
    /// Passwords by role: `crm_api`, `crm_migrator`.
    passwords: BTreeMap<String, SecretString>,
}

impl Operator {
    /// Reads the configuration of the process.
    pub(crate) fn from_process() -> Result<Self, ConfigProblems> {
        let mut env = Env::from_process();
        let read = Self::read(&mut env);
        env.finish()?;
        read.ok_or_else(|| ConfigProblems(Vec::new()))
    }

    /// Reads every variable and leaves the problems in `env`.
    pub(crate) fn read(env: &mut Env) -> Option<Self> {
        let database_url = env
            .secret(
                "DATABASE_URL",
                "The database, as an administrator who may create roles.",
            )
            .required();
        let redis_url = env
            .secret("REDIS_URL", "Redis. None when unset.")
            .optional();
        let mut passwords = BTreeMap::new();
        for (service, [api, migrator]) in SERVICES.iter().zip(PASSWORDS) {
            let login = env
                .secret(api, "Password of the service's login.")
                .required();
            let owner = env
                .secret(
                    migrator,
                    "Password of the service's migrator; the administrator migrates when unset.",
                )
                .optional();
            passwords.extend(login.map(|password| (service.api_role(), password)));
            passwords.extend(
                owner
                    .flatten()
                    .map(|password| (format!("{}_migrator", service.schema), password)),
            );
        }
        Some(Self {
            database_url: database_url?,
            redis_url: redis_url?,
            passwords,
        })
    }

    /// The database to migrate.
    pub(crate) fn target(&self) -> Target {
        Target::new(self.database_url.clone()).with_passwords(self.passwords.clone())
    }

    /// The database as the weak login of one service.
    pub(crate) fn service_url(&self, service: &ServiceInfo) -> anyhow::Result<SecretString> {
        let role = service.api_role();
        let password = self
            .passwords
            .get(&role)
            .map_or("", ExposeSecret::expose_secret);
        let mut url = Url::parse(self.database_url.expose_secret())
            .map_err(|_| anyhow::anyhow!("DATABASE_URL is not a URL"))?;
        let set = url
            .set_username(&role)
            .and_then(|()| url.set_password(Some(password)));
        set.map_err(|()| anyhow::anyhow!("DATABASE_URL has no host"))?;
        Ok(String::from(url).into())
    }
}

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
        Operator::read(&mut Env::from_map(vars)).unwrap()
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
    fn everything_that_is_missing_is_said_at_once() {
        let mut env = Env::from_map::<String, String>([]);
        assert!(Operator::read(&mut env).is_none());
        assert_eq!(env.finish().unwrap_err().0.len(), 6);
    }
}
