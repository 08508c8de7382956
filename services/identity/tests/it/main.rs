//! The identity service through its router, on a real database with the service's weak role.
#![expect(clippy::unwrap_used, reason = "a panic is how a helper fails the test")]

mod catalog;
mod checks;
mod impersonation;
mod keys;
mod login;
mod logout;
mod me;
mod members;
mod oauth;
mod refresh;
mod refresh_race;
mod register;
mod retention;
mod rights;
mod roles;
mod scim;
mod scim_protocol;
mod support;
mod tenants;
mod users_admin;
