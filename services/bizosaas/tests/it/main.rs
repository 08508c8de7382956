//! The real binary as an operator runs it: a child process with listeners, on a database and a Redis of its own.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod agents;
mod backup;
mod cluster;
mod crash;
mod documents;
mod drain;
mod feed_after_restore;
mod journey;
mod migrate;
mod operator;
mod owner;
mod refusals;
mod smoke;
mod start;
mod support;
