//! Tenancy against a real Postgres, always as the weak role of a service.
#![expect(clippy::unwrap_used, reason = "a panic is how a helper fails the test")]

mod administrator;
mod cancellation;
mod catalog;
mod erase;
mod feed;
mod isolation;
mod migrate;
mod outage;
mod retention;
mod role;
mod support;
mod turns;
