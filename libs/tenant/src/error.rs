//! What can go wrong with the database, in the classes that callers treat differently.

use sqlx::error::{DatabaseError, ErrorKind};

/// A failed database operation. The text is for the log, never for a client.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The database cannot be reached, is overloaded or gave up on time: worth another try later (HTTP 503).
    #[error("the database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// Two transactions were in each other's way (40001, 40P01): the whole transaction may be run again.
    #[error("the transaction conflicted with another one")]
    Serialization(#[source] sqlx::Error),
    /// A named constraint refused the change.
    #[error("constraint {name} was violated")]
    Constraint {
        /// The constraint's name, which is part of the schema's interface.
        name: String,
        /// What sort of rule it is.
        kind: ConstraintKind,
        /// The server's answer.
        #[source]
        source: sqlx::Error,
    },
    /// The configuration cannot describe a database.
    #[error("the database configuration is invalid: {0}")]
    Config(String),
    /// Anything else: a bug in a statement or in the schema.
    #[error("the database refused a statement")]
    Other(#[source] sqlx::Error),
}

/// The sort of rule that refused a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConstraintKind {
    /// A unique or primary key.
    Unique,
    /// A foreign key.
    ForeignKey,
    /// A check constraint.
    Check,
    /// Something else, such as an exclusion constraint.
    Other,
}

impl DbError {
    /// Whether there was no answer in time, as opposed to a refusal: the pool may be busy, or the server hangs.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Unavailable(sqlx::Error::PoolTimedOut))
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => Self::Unavailable(error),
            sqlx::Error::Database(database) => match classify(&**database) {
                Class::Unavailable => Self::Unavailable(error),
                Class::Serialization => Self::Serialization(error),
                Class::Constraint(name, kind) => Self::Constraint {
                    name,
                    kind,
                    source: error,
                },
                Class::Other => Self::Other(error),
            },
            _ => Self::Other(error),
        }
    }
}

enum Class {
    Unavailable,
    Serialization,
    Constraint(String, ConstraintKind),
    Other,
}

/// Sorts a server error by its SQLSTATE (PostgreSQL manual, appendix A).
fn classify(error: &dyn DatabaseError) -> Class {
    let kind = match error.kind() {
        ErrorKind::UniqueViolation => ConstraintKind::Unique,
        ErrorKind::ForeignKeyViolation => ConstraintKind::ForeignKey,
        ErrorKind::CheckViolation => ConstraintKind::Check,
        _ => ConstraintKind::Other,
    };
    if let Some(name) = error.constraint() {
        return Class::Constraint(name.to_owned(), kind);
    }
    let code = error.code().unwrap_or_default();
    match &*code {
        "40001" | "40P01" => Class::Serialization,
        // lock_timeout, statement_timeout, idle_in_transaction_session_timeout, transaction_timeout
        "55P03" | "57014" | "25P03" | "25P04" => Class::Unavailable,
        // no such database or role, wrong password: an operator's change under a running service
        "3D000" | "28000" | "28P01" => Class::Unavailable,
        // connection failure; insufficient resources; shutdown, crash and start-up
        code if code.starts_with("08") || code.starts_with("53") || code.starts_with("57P") => {
            Class::Unavailable
        }
        _ => Class::Other,
    }
}

/// Whether the connection itself is gone, as opposed to a refused statement.
pub(crate) fn is_connection_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) => true,
        sqlx::Error::Database(database) => database.code().is_some_and(|code| {
            code.starts_with("08") || code.starts_with("57P") || code == "25P03"
        }),
        _ => false,
    }
}

/// Turns the violation of one named constraint into a domain error, right where the statement stands.
pub trait OnConstraint<T> {
    /// Answers `f()` when constraint `name` refused the statement; any other error becomes a [`DbError`].
    ///
    /// # Errors
    /// The domain error of `f`, or the converted database error.
    fn on_constraint<E: From<DbError>>(self, name: &str, f: impl FnOnce() -> E) -> Result<T, E>;
}

impl<T> OnConstraint<T> for Result<T, sqlx::Error> {
    fn on_constraint<E: From<DbError>>(self, name: &str, f: impl FnOnce() -> E) -> Result<T, E> {
        self.map_err(DbError::from).on_constraint(name, f)
    }
}

impl<T> OnConstraint<T> for Result<T, DbError> {
    fn on_constraint<E: From<DbError>>(self, name: &str, f: impl FnOnce() -> E) -> Result<T, E> {
        self.map_err(|error| match &error {
            DbError::Constraint { name: violated, .. } if violated == name => f(),
            _ => error.into(),
        })
    }
}
