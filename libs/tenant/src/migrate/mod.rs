//! Applying the schema: roles once by an administrator, migrations by each schema's owner.
//!
//! [`Migrator::roles`] makes the roles, schemas and rights (`migrations/roles`). [`Migrator::run`] then applies
//! `migrations/common` and `migrations/<schema>` to each schema, as its owner, with `{{schema}}` replaced; the list of
//! what was applied is the schema's own `_sqlx_migrations`. Two migrators at once wait for each other, a migration that
//! was edited or removed after it ran is refused, and [`Migrator::plan`] says what would happen without doing it.

mod apply;
mod error;
mod lock;
mod roles;
mod scram;
mod source;
mod target;
mod wait;

use bz_kernel::platform;
use include_dir::{Dir, include_dir};

pub use apply::{Applied, Plan, SchemaStatus, State, Step};
pub use error::MigrateError;
pub use lock::Lock;
pub use source::MigrationFile;
pub use target::Target;

use source::Source;

static MIGRATIONS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../migrations");

/// A file of `migrations/` as it was when this was compiled.
pub(crate) fn embedded_file(path: &str) -> Option<&'static str> {
    MIGRATIONS.get_file(path)?.contents_utf8()
}

/// Applies a set of migrations to databases.
#[derive(Clone, Debug)]
pub struct Migrator {
    source: Source,
    schemas: Vec<String>,
}

impl Migrator {
    /// The platform's migrations, as they were when this was compiled, for the schemas of all services.
    ///
    /// # Errors
    /// [`MigrateError::Source`] when a file is not named as it must be.
    pub fn embedded() -> Result<Self, MigrateError> {
        let files = source::embedded_files(&MIGRATIONS);
        Self::from_files(
            files,
            platform::SERVICES.iter().map(|service| service.schema),
        )
    }

    /// A set of migrations given as path (`crm/0100_leads.sql`) and text.
    ///
    /// # Errors
    /// [`MigrateError::Source`] when a file is not named as it must be.
    pub fn from_files<'a>(
        files: impl IntoIterator<Item = (String, String)>,
        schemas: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, MigrateError> {
        let schemas: Vec<String> = schemas.into_iter().map(str::to_owned).collect();
        Ok(Self {
            source: Source::read(files, &schemas)?,
            schemas,
        })
    }

    /// The same migrations for some of the schemas only.
    ///
    /// # Errors
    /// [`MigrateError::Source`] for a schema that there is not.
    pub fn only(mut self, schemas: &[&str]) -> Result<Self, MigrateError> {
        if let Some(unknown) = schemas
            .iter()
            .find(|name| !self.schemas.iter().any(|known| known == *name))
        {
            return Err(MigrateError::Source(format!(
                "there is no schema {unknown}"
            )));
        }
        self.schemas.retain(|name| schemas.contains(&name.as_str()));
        Ok(self)
    }

    /// The schemas, in the order in which they are migrated.
    pub fn schemas(&self) -> impl Iterator<Item = &str> {
        self.schemas.iter().map(String::as_str)
    }

    /// Every migration of `schema`, oldest first.
    pub fn migrations(&self, schema: &str) -> Vec<MigrationFile> {
        self.source.of(schema)
    }

    /// A digest of all files and schemas: two databases with the same one have the same schema.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.source.fingerprint(&self.schemas)
    }

    /// Makes roles, schemas, rights and the extension, and sets the passwords that `target` knows. Needs an
    /// administrator (a superuser, or CREATEROLE and CREATE on the database). Doing it again changes nothing.
    ///
    /// # Errors
    /// [`MigrateError`]; then nothing was changed.
    pub async fn roles(&self, target: &Target) -> Result<(), MigrateError> {
        roles::create(target, &self.source, &self.schemas).await
    }

    /// What [`Migrator::roles`] runs, without the passwords, for an administrator who would rather do it by hand.
    #[must_use]
    pub fn roles_sql(&self) -> String {
        self.source.roles(&self.schemas).join("\n")
    }

    /// Whether [`Migrator::roles`] has been run for every schema.
    ///
    /// # Errors
    /// [`MigrateError`]
    pub async fn roles_exist(&self, target: &Target) -> Result<bool, MigrateError> {
        roles::exist(target, &self.schemas).await
    }

    /// Applies what is missing and answers what was applied. Waits for another migrator that is at work.
    ///
    /// # Errors
    /// [`MigrateError`]; every migration before the failed one stays applied.
    pub async fn run(&self, target: &Target) -> Result<Vec<Applied>, MigrateError> {
        let mut lock = Lock::take(target).await?;
        let mut applied = Vec::new();
        for schema in &self.schemas {
            lock.still_held().await?;
            applied.extend(apply::run(target, schema, &self.source.of(schema)).await?);
        }
        lock.release().await?;
        Ok(applied)
    }

    /// What [`Migrator::run`] would do. Changes nothing.
    ///
    /// # Errors
    /// [`MigrateError`], the same that `run` would answer before it changes something.
    pub async fn plan(&self, target: &Target) -> Result<Plan, MigrateError> {
        let mut plan = Plan {
            creates_roles: !self.roles_exist(target).await?,
            steps: Vec::new(),
        };
        for schema in &self.schemas {
            plan.steps
                .extend(apply::pending(target, schema, &self.source.of(schema)).await?);
        }
        Ok(plan)
    }

    /// Every known and every applied migration, per schema. Changes nothing, and reports an edited migration instead of
    /// refusing it.
    ///
    /// # Errors
    /// [`MigrateError`] when the database cannot be read.
    pub async fn status(&self, target: &Target) -> Result<Vec<SchemaStatus>, MigrateError> {
        let mut all = Vec::new();
        for schema in &self.schemas {
            all.push(apply::status(target, schema, &self.source.of(schema)).await?);
        }
        Ok(all)
    }
}
