//! The real binary as an operator runs it: a child process with listeners, on a database and a Redis of its own.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod crash;
mod documents;
mod drain;
mod journey;
mod operator;
mod start;
mod support;
