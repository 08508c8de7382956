//! Identity: tenants, users, sessions and the access tokens that the other services accept. See `README.md`.
#![warn(missing_docs)]

mod app;
mod audit;
mod config;
mod cookies;
mod credential;
mod csrf;
mod jobs;
mod keys;
mod limits;
mod lockout;
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
pub use limits::LimitsConfig;
pub use registration::{NewOwner, RegistrationPolicy, create_owner};
pub use users::{Email, InvalidEmail};
