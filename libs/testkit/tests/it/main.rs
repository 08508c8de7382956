//! The helpers themselves, tested against real sockets and a real Postgres.
#![expect(clippy::unwrap_used, reason = "a panic is how a helper fails the test")]

mod database;
mod isolation;
mod proxy;
