//! The outbox on a real Postgres, Redis on a real Redis, and what happens when they are gone.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod consumer;
mod feed;
mod outbox;
mod redis;
mod support;
