//! Identity: tenants, users, sessions and the access tokens that the other services accept. See `README.md`.
#![warn(missing_docs)]

mod app;
mod audit;
mod change;
mod config;
mod credential;
mod guests;
mod invitations;
mod jobs;
mod keys;
mod oauth;
mod origin;
pub mod passwords;
mod problems;
mod registration;
mod revocations;
mod sessions;
mod tenants;
mod users;

pub use app::{Identity, build_with};
pub use config::IdentityConfig;
pub use keys::install as install_signing_key;
pub use registration::{NewOwner, RegistrationPolicy, create_owner};
pub use tenants::{erase::run as erase_deleted_tenants, restore::restore as restore_tenant};
pub use users::{Email, InvalidEmail};
