//! Analytics through its real routes, on a real database, with the weak login.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod board_data;
mod boards;
mod cohorts;
mod cohorts_cdnow;
mod dashboards;
mod erasure;
mod events;
mod feeds;
mod funnels;
mod performance;
mod retention;
mod shares;
mod support;
mod templates;
mod whole_service;
mod writers;
