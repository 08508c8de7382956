//! Identity: tenants, users, sessions and the access tokens that the other services accept. See `README.md`.
#![warn(missing_docs)]

mod api_keys;
mod app;
mod audit;
mod config;
mod credential;
mod jobs;
mod keys;
mod oauth;
mod origin;
pub mod passwords;
mod problems;
mod registration;
mod revocations;
mod service_accounts;
mod sessions;
mod tenants;
mod users;

pub use app::{Identity, build_with};
pub use config::IdentityConfig;
pub use keys::install as install_signing_key;
pub use registration::{NewOwner, RegistrationPolicy, create_owner};
pub use users::{Email, InvalidEmail};
