//! The crate as services use it: routes inside the stack, a database, siblings on real sockets.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod client;
mod document;
mod egress;
mod extract;
mod idempotency;
mod log;
mod routing;
mod stack;
mod support;
