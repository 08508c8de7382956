//! Identity: tenants, users, sessions and the access tokens that the other services accept. See `README.md`.
#![warn(missing_docs)]

mod account;
mod api_keys;
mod app;
mod audit;
mod changes;
mod config;
mod cookies;
mod credential;
mod csrf;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod guests;
mod impersonation;
mod invitations;
mod jobs;
mod keys;
mod limits;
mod lockout;
mod mail;
mod members;
mod mfa;
mod oauth;
mod oauth_clients;
mod one_time;
mod origin;
mod pages;
mod passkeys;
pub mod passwords;
mod problems;
mod registration;
mod revocations;
mod roles;
mod scim;
mod service_accounts;
mod sessions;
mod tenants;
mod users;
mod webhooks;

pub use account::erasure::erase_deleted_accounts;
pub use app::{Identity, build_with};
pub use config::IdentityConfig;
pub use jobs::retention::{purge_ceremonies, purge_invitations};
pub use keys::install as install_signing_key;
pub use limits::LimitsConfig;
pub use passkeys::RelyingParty;
pub use registration::{NewOwner, RegistrationPolicy, create_owner};
pub use tenants::{erase::run as erase_deleted_tenants, restore::restore as restore_tenant};
pub use users::{Email, InvalidEmail};
