//! The helpers themselves, tested against real sockets and a real Postgres, and the checks against what they must find.
#![expect(clippy::unwrap_used, reason = "a panic is how a helper fails the test")]

mod app;
mod checks;
mod database;
mod isolation;
mod proxy;
mod sample;
