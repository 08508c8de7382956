//! The one start-up path of every service: configuration, telemetry, server, health, drain.
#![warn(missing_docs)]

pub mod admin;
pub mod api_keys;
pub mod app;
pub mod cli;
pub mod config;
pub mod core;
pub mod docs;
pub mod erasure;
pub mod feed_cursors;
pub mod front;
pub mod health;
pub mod healthcheck;
pub mod lifecycle;
pub mod limiter;
pub mod monitor;
pub mod progress;
pub mod retention;
pub mod revocations;
pub mod run;
pub mod server;
pub mod telemetry;
pub mod webhooks;

pub use app::{App, Job, Pace, Probe, ProbeStatus, Service};
pub use cli::main;
pub use core::Core;

/// The allocator of every binary. A request makes some hundred small allocations, most of them freed on another thread
/// than the one that made them, which is where glibc's is slow.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
