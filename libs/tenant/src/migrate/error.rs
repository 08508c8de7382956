//! Why a migration did not happen.

use crate::DbError;

/// A migrator that could not do its work. The text is for the operator and holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The files themselves are wrong: a bug of this build.
    #[error("the migrations are wrong: {0}")]
    Source(String),
    /// The database's address cannot be one.
    #[error("the database address is not of the form postgres://user:password@host/database")]
    Address,
    /// The database cannot be used.
    #[error("cannot {doing}")]
    Database {
        /// What was being done.
        doing: String,
        /// What the database said.
        #[source]
        source: DbError,
    },
    /// The schema or its roles do not exist.
    #[error(
        "schema {0} or its roles do not exist yet: an administrator has to create the roles first"
    )]
    NoRoles(String),
    /// There is no administrator, and the password of the role that the work needs is not known.
    #[error("there is neither an administrator nor the password of {0}")]
    NoLogin(String),
    /// Another migrator has held the lock for too long.
    #[error("another migrator has been at work for {0} seconds")]
    Locked(u64),
    /// The connection that holds the lock was lost.
    #[error("the migration lock was lost: the connection to the database broke")]
    LockLost,
    /// An applied migration's text is not what was applied.
    #[error(
        "migration {schema}/{version:04}_{name} was changed after it had been applied: \
         undo the change and write a new migration"
    )]
    Edited {
        /// The schema.
        schema: String,
        /// The migration's number.
        version: i64,
        /// The migration's name.
        name: String,
    },
    /// An applied migration is not among the known ones, although newer ones are.
    #[error(
        "migration {schema}/{version:04} has been applied to the database but its file is gone: put it back"
    )]
    Missing {
        /// The schema.
        schema: String,
        /// The migration's number.
        version: i64,
    },
    /// A migration's SQL failed; it was rolled back unless it is marked `-- no-transaction`.
    #[error("migration {schema}/{version:04}_{name} failed")]
    Failed {
        /// The schema.
        schema: String,
        /// The migration's number.
        version: i64,
        /// The migration's name.
        name: String,
        /// What the database said.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
}

impl MigrateError {
    /// Wraps a database error with what was being done.
    pub(super) fn doing(what: impl Into<String>) -> impl FnOnce(sqlx::Error) -> Self {
        |error| Self::Database {
            doing: what.into(),
            source: error.into(),
        }
    }
}
