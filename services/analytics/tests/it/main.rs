//! Analytics through its real routes, on a real database, with the weak login.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod alerts;
mod analytics_webhooks;
mod bodies;
mod dashboards;
mod erasing;
mod erasure;
mod events;
mod exports;
mod feeds;
mod partitions;
mod performance;
mod realtime;
mod receiver;
mod report_schedules;
mod reports;
mod rollups;
mod support;
mod whole_service;
