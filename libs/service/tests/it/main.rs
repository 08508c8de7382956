//! The start-up path, from outside.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a panic is how a test fails"
)]

mod config;
mod docs;
mod front;
mod limits;
mod process;
mod server;
mod start;
mod stop;
mod traces;
