//! Analytics through its real routes, on a real database, with the weak login.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod crm_deals;
mod dashboards;
mod data_sources;
mod erasure;
mod events;
mod feeds;
mod golden;
mod imports;
mod performance;
mod pulls;
mod readers;
mod source_support;
mod support;
mod whole_service;
mod writers;
