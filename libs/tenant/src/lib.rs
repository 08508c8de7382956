//! Everything that touches Postgres goes through here, so that no query can run without its tenant.
//!
//! A service holds a [`Db`], a request makes a [`TenantTx`] from the caller's [`TenantScope`], and store functions take
//! `&mut TenantTx`. The pool itself never leaves this crate. [`migrate`] applies the schema and [`catalog`] holds the
//! rules that every table must follow; `docs/tenancy.md` says which mistake is stopped by which of them.
#![warn(missing_docs)]

pub mod catalog;
mod db;
pub mod erase;
mod error;
pub mod migrate;
mod pool;
pub mod readers;
mod scope;
mod statements;
mod tx;

pub use catalog::Violation;
pub use db::{Db, DbConfig, PoolStatus};
pub use error::{ConstraintKind, DbError, OnConstraint};
pub use scope::TenantScope;
pub use statements::Statements;
pub use tx::{SystemTx, TenantTx};
