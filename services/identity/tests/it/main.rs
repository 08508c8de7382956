//! The identity service through its router, on a real database with the service's weak role.
#![expect(clippy::unwrap_used, reason = "a panic is how a helper fails the test")]

mod api_keys;
mod api_keys_abroad;
mod checks;
mod keys;
mod login;
mod logout;
mod me;
mod oauth;
mod refresh;
mod refresh_flood;
mod refresh_race;
mod register;
mod retention;
mod revocations;
mod service_accounts;
mod sessions;
mod support;
mod tenants;
