//! Which database, and as whom.

use std::collections::BTreeMap;
use std::fmt;

use bz_kernel::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};

use super::MigrateError;

/// A database to migrate and the passwords of the services' roles.
#[derive(Clone)]
pub struct Target {
    url: SecretString,
    passwords: BTreeMap<String, SecretString>,
}

impl Target {
    /// The database at `url`. Its user is the administrator of [`super::Migrator::roles`], and the one who migrates
    /// every schema whose migrator's password is not known.
    #[must_use]
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            passwords: BTreeMap::new(),
        }
    }

    /// Adds passwords by role: `crm_api`, `crm_migrator`.
    #[must_use]
    pub fn with_passwords(
        mut self,
        passwords: impl IntoIterator<Item = (String, SecretString)>,
    ) -> Self {
        self.passwords.extend(passwords);
        self
    }

    /// The known passwords by role.
    pub(super) fn passwords(&self) -> &BTreeMap<String, SecretString> {
        &self.passwords
    }

    /// Connects as the user of the address.
    pub(super) async fn connect(&self) -> Result<PgConnection, MigrateError> {
        self.options()?
            .connect()
            .await
            .map_err(MigrateError::doing("connect to the database"))
    }

    /// Connects as the one who migrates `schema`.
    pub(super) async fn connect_for(&self, schema: &str) -> Result<PgConnection, MigrateError> {
        let migrator = format!("{schema}_migrator");
        let mut options = self.options()?;
        if let Some(password) = self.passwords.get(&migrator) {
            options = options
                .username(&migrator)
                .password(password.expose_secret());
        }
        options.connect().await.map_err(MigrateError::doing(format!(
            "connect to the database to migrate {schema}"
        )))
    }

    fn options(&self) -> Result<PgConnectOptions, MigrateError> {
        let options: PgConnectOptions = self
            .url
            .expose_secret()
            .parse()
            .map_err(|_| MigrateError::Address)?;
        // A migration's text in the log helps nobody, and a role's statement must not get there.
        Ok(options
            .application_name("bizosaas-migrate")
            .disable_statement_logging())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("passwords", &self.passwords.keys())
            .finish_non_exhaustive()
    }
}
