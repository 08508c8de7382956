//! The identity service through its router, on a real database with the service's weak role.
#![expect(clippy::unwrap_used, reason = "a panic is how a helper fails the test")]

mod audit;
mod audit_chain;
mod audit_export;
mod checks;
mod keys;
mod login;
mod logout;
mod me;
mod oauth;
mod receiver;
mod refresh;
mod refresh_race;
mod register;
mod retention;
mod support;
mod tenants;
mod webhook_delivery;
mod webhook_process;
mod webhook_retention;
mod webhooks;
