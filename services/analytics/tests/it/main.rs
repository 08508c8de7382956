//! Analytics through its real routes, on a real database, with the weak login.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod dashboards;
mod erasure;
mod events;
mod feeds;
mod performance;
mod support;
mod whole_service;
mod writers;
