//! The identity service through its router, on a real database with the service's weak role.
#![expect(clippy::unwrap_used, reason = "a panic is how a helper fails the test")]

mod audit;
mod audit_chain;
mod authenticator;
mod catalog;
mod checks;
mod keys;
mod login;
mod logout;
mod mail;
mod mailbox;
mod me;
mod members;
mod mfa;
mod oauth;
mod pages;
mod passkeys;
mod passwords;
mod profile;
mod refresh;
mod refresh_flood;
mod refresh_race;
mod register;
mod retention;
mod revocations;
mod rights;
mod roles;
mod sessions;
mod support;
mod tenants;
mod users_admin;
mod verification;
