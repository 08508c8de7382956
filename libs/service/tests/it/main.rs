//! The start-up path, from outside.

mod config;
mod docs;
mod process;
mod server;
mod start;
mod stop;
