//! The identity service through its router, on a real database with the service's weak role.
#![expect(clippy::unwrap_used, reason = "a panic is how a helper fails the test")]

mod checks;
mod keys;
mod login;
mod logout;
mod me;
mod oauth;
mod oauth_clients;
mod oidc_authorize;
mod oidc_clients;
mod oidc_logout;
mod oidc_lookup;
mod oidc_misuse;
mod oidc_pages;
mod oidc_tokens;
mod provider;
mod refresh;
mod refresh_race;
mod register;
mod retention;
mod support;
mod tenants;
