//! The migration files: which there are, in which order, and whether they are named as they must be.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use include_dir::Dir;
use sqlx::migrate::{Migration, MigrationType};

use super::MigrateError;
use crate::catalog::is_plain_name;

/// The folder whose migrations every schema gets first.
const COMMON: &str = "common";
/// The folder of what an administrator runs.
const ROLES: &str = "roles";
/// Versions below are common to all schemas, the others are a schema's own.
pub(super) const FIRST_OWN_VERSION: i64 = 100;
/// What stands for the schema's name in a file.
const PLACEHOLDER: &str = "{{schema}}";

/// A migration of one schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationFile {
    /// Its number.
    pub version: i64,
    /// Its name without the number: `leads`.
    pub name: String,
    /// Its SQL, with the schema's name in place.
    pub sql: String,
}

impl MigrationFile {
    /// The form in which sqlx runs it and remembers it.
    pub(super) fn to_sqlx(&self) -> Migration {
        Migration::new(
            self.version,
            Cow::Owned(self.name.clone()),
            MigrationType::Simple,
            Cow::Owned(self.sql.clone()),
            self.no_transaction(),
        )
    }

    /// Whether it has to run outside a transaction; then it is one single statement.
    pub(super) fn no_transaction(&self) -> bool {
        self.sql.starts_with("-- no-transaction")
    }
}

/// All files, by folder.
#[derive(Clone, Debug)]
pub(super) struct Source {
    folders: BTreeMap<String, Vec<MigrationFile>>,
}

impl Source {
    pub(super) fn read(
        files: impl IntoIterator<Item = (String, String)>,
        schemas: &[String],
    ) -> Result<Self, MigrateError> {
        let mut folders: BTreeMap<String, Vec<MigrationFile>> = BTreeMap::new();
        for (path, sql) in files {
            let Some((folder, file)) = path
                .split_once('/')
                .filter(|(_, file)| file.ends_with(".sql"))
            else {
                continue;
            };
            let (version, name) = parse_name(file).ok_or_else(|| {
                MigrateError::Source(format!("{path} is not named like 0100_leads.sql"))
            })?;
            let known = folder == COMMON
                || folder == ROLES
                || schemas.iter().any(|schema| schema == folder);
            let in_range = folder == ROLES || (version < FIRST_OWN_VERSION) == (folder == COMMON);
            if !known || !in_range {
                return Err(MigrateError::Source(format!(
                    "{path} is out of place: common/ has versions below {FIRST_OWN_VERSION}, a schema's folder the others"
                )));
            }
            folders
                .entry(folder.to_owned())
                .or_default()
                .push(MigrationFile { version, name, sql });
        }
        for (folder, files) in &mut folders {
            files.sort_by_key(|file| file.version);
            if let Some(pair) = files
                .windows(2)
                .find(|pair| pair[0].version == pair[1].version)
            {
                return Err(MigrateError::Source(format!(
                    "{folder}/ has two files with number {}",
                    pair[0].version
                )));
            }
        }
        Ok(Self { folders })
    }

    /// The migrations of a schema, oldest first.
    pub(super) fn of(&self, schema: &str) -> Vec<MigrationFile> {
        let folder = |name: &str| self.folders.get(name).into_iter().flatten();
        let in_place = |file: &MigrationFile| MigrationFile {
            sql: file.sql.replace(PLACEHOLDER, schema),
            ..file.clone()
        };
        folder(COMMON).chain(folder(schema)).map(in_place).collect()
    }

    /// The statements for an administrator: what is the installation's once, what is a schema's for each.
    pub(super) fn roles(&self, schemas: &[String]) -> Vec<String> {
        let mut all = Vec::new();
        for file in self.folders.get(ROLES).into_iter().flatten() {
            if file.sql.contains(PLACEHOLDER) {
                all.extend(
                    schemas
                        .iter()
                        .map(|schema| file.sql.replace(PLACEHOLDER, schema)),
                );
            } else {
                all.push(file.sql.clone());
            }
        }
        all
    }

    pub(super) fn fingerprint(&self, schemas: &[String]) -> String {
        let mut text = schemas.join("\n");
        for (folder, files) in &self.folders {
            for file in files {
                text.push_str(&format!(
                    "\n{folder}/{:04}_{}\n{}",
                    file.version, file.name, file.sql
                ));
            }
        }
        hex::encode(digest(&SHA256, text.as_bytes()))
    }
}

/// Path and text of all files that were embedded.
pub(super) fn embedded_files(dir: &Dir<'static>) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for folder in dir.dirs() {
        for file in folder.files() {
            let path = file.path().to_string_lossy().replace('\\', "/");
            all.push((path, file.contents_utf8().unwrap_or_default().to_owned()));
        }
    }
    all
}

/// Number and name of `0100_leads.sql`.
fn parse_name(file: &str) -> Option<(i64, String)> {
    let (number, name) = file.strip_suffix(".sql")?.split_once('_')?;
    let digits = number.len() >= 2 && number.chars().all(|c| c.is_ascii_digit());
    (digits && is_plain_name(name)).then(|| Some((number.parse().ok()?, name.to_owned())))?
}
