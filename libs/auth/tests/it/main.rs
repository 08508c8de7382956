//! Tokens from the outside: forged ones, lost keys, extractors.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod forged;
mod keys;
mod support;
