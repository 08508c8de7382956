//! Tokens from the outside: forged ones, lost keys, extractors.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod extractors;
mod forged;
mod keys;
mod service_tokens;
mod support;
