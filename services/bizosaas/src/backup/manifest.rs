//! What a backup says about itself: enough to refuse it when it is damaged or too new, and to prove it when restored.

use std::collections::BTreeMap;

use anyhow::bail;
use bz_tenant::migrate::Migrator;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The database, as `pg_dump` writes it in its custom format.
pub(crate) const DUMP: &str = "database.dump";
/// The roles, without passwords.
pub(crate) const ROLES: &str = "roles.sql";
/// This document.
pub(crate) const MANIFEST: &str = "manifest.json";
/// Its own digest, in the form of `sha256sum`.
pub(crate) const MANIFEST_SHA256: &str = "manifest.json.sha256";
/// Changes when an older release cannot read a newer one's file.
pub(crate) const FORMAT: u32 = 1;

/// Numbers of the applied migrations, by schema.
pub(crate) type Schemas = BTreeMap<String, Vec<i64>>;

/// The manifest.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// [`FORMAT`]
    pub(crate) format: u32,
    pub(crate) created_at: DateTime<Utc>,
    /// The release that made the backup.
    pub(crate) release: String,
    pub(crate) database: String,
    /// The version of the database server.
    pub(crate) server: String,
    pub(crate) schemas: Schemas,
    /// By `schema.table`.
    pub(crate) tables: BTreeMap<String, Table>,
    /// By name in the tar file.
    pub(crate) files: BTreeMap<String, Part>,
}

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) rows: i64,
    /// Sum of a digest of every row: independent of their order.
    pub(crate) digest: String,
}

/// One file in the tar file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

impl Manifest {
    /// Refuses what a newer release has made: this one would run on tables that it does not know.
    pub(crate) fn refuse_newer(&self) -> anyhow::Result<()> {
        if self.format != FORMAT {
            bail!(
                "the backup has format {}, this release reads {FORMAT}",
                self.format
            );
        }
        let migrator = Migrator::embedded()?;
        for (schema, applied) in &self.schemas {
            let known = migrator.migrations(schema);
            let unknown = applied
                .iter()
                .find(|version| !known.iter().any(|file| file.version == **version));
            if let Some(version) = unknown {
                bail!(
                    "the backup is of release {}, whose schema {schema} has migration {version:04}, which this release \
                     ({}) does not know: restore it with that release or a newer one",
                    self.release,
                    env!("CARGO_PKG_VERSION")
                );
            }
        }
        Ok(())
    }
}
