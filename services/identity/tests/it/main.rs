//! The identity service through its router, on a real database with the service's weak role.
#![expect(clippy::unwrap_used, reason = "a panic is how a helper fails the test")]

mod checks;
mod erasure;
mod guest_sessions;
mod guests;
mod invitations;
mod join;
mod keys;
mod login;
mod logout;
mod me;
mod oauth;
mod refresh;
mod refresh_race;
mod register;
mod retention;
mod support;
mod switch;
mod tenants;
mod tenants_change;
