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
    /// Another database of the same server than the address names.
    database: Option<String>,
    /// Whether the address's user is an administrator; if not, only the services' roles log in.
    administrator: bool,
    passwords: BTreeMap<String, SecretString>,
}

impl Target {
    /// The database at `url`. Its user is the administrator of [`super::Migrator::roles`], and the one who migrates
    /// every schema whose migrator's password is not known.
    #[must_use]
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            database: None,
            administrator: true,
            passwords: BTreeMap::new(),
        }
    }

    /// The same without an administrator: whatever user the address names, only the services' roles log in, with the
    /// passwords that are known. Enough to migrate once [`super::Migrator::roles`] has been run by somebody else.
    #[must_use]
    pub fn without_administrator(mut self) -> Self {
        self.administrator = false;
        self
    }

    /// The same on another database of the server.
    #[must_use]
    pub fn on(mut self, database: &str) -> Self {
        self.database = Some(database.to_owned());
        self
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

    /// The address's database.
    ///
    /// # Errors
    /// [`MigrateError::Address`]
    pub fn database(&self) -> Result<String, MigrateError> {
        let options = self.options()?;
        let name = options.get_database().unwrap_or(options.get_username());
        Ok(name.to_owned())
    }

    /// Connects as the administrator; without one, as any role whose password is known.
    ///
    /// # Errors
    /// [`MigrateError`]
    pub async fn connect(&self) -> Result<PgConnection, MigrateError> {
        let options = self.options()?;
        let options = match self.any_role() {
            _ if self.administrator => options,
            Some(role) => self.log_in(options, role),
            None => return Err(MigrateError::NoLogin("any role".to_owned())),
        };
        let connected = options.connect().await;
        connected.map_err(MigrateError::doing("connect to the database"))
    }

    /// Connects as the one who migrates `schema`.
    pub(super) async fn connect_for(&self, schema: &str) -> Result<PgConnection, MigrateError> {
        let doing = format!("connect to the database to migrate {schema}");
        self.connect_as(&[format!("{schema}_migrator")], doing)
            .await
    }

    /// Connects as somebody who may read the list of applied migrations of `schema`.
    pub(super) async fn connect_to_read(&self, schema: &str) -> Result<PgConnection, MigrateError> {
        if self.administrator {
            return self.connect().await;
        }
        let roles = [format!("{schema}_migrator"), format!("{schema}_api")];
        let doing = format!("connect to the database to read {schema}");
        self.connect_as(&roles, doing).await
    }

    /// Connects as the first of `roles` whose password is known, or else as the administrator.
    async fn connect_as(
        &self,
        roles: &[String],
        doing: String,
    ) -> Result<PgConnection, MigrateError> {
        let known = roles.iter().find(|role| self.passwords.contains_key(*role));
        let options = self.options()?;
        let options = match known {
            Some(role) => self.log_in(options, role),
            None if self.administrator => options,
            None => return Err(MigrateError::NoLogin(roles.join(" or "))),
        };
        options.connect().await.map_err(MigrateError::doing(doing))
    }

    /// A migrator if there is one: it may do more.
    fn any_role(&self) -> Option<&str> {
        let mut roles = self.passwords.keys();
        let migrator = roles.clone().find(|role| role.ends_with("_migrator"));
        migrator.or_else(|| roles.next()).map(String::as_str)
    }

    fn log_in(&self, options: PgConnectOptions, role: &str) -> PgConnectOptions {
        let password = self.passwords.get(role);
        let password = password.map_or("", ExposeSecret::expose_secret);
        options.username(role).password(password)
    }

    fn options(&self) -> Result<PgConnectOptions, MigrateError> {
        let options: PgConnectOptions = self
            .url
            .expose_secret()
            .parse()
            .map_err(|_| MigrateError::Address)?;
        let options = match &self.database {
            Some(name) => options.database(name),
            None => options,
        };
        // A migration's text in the log helps nobody, and a role's statement must not get there.
        Ok(options
            .application_name("bizosaas-migrate")
            .disable_statement_logging())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("administrator", &self.administrator)
            .field("passwords", &self.passwords.keys())
            .finish_non_exhaustive()
    }
}
