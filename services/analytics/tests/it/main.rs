//! Analytics through its real routes, on a real database, with the weak login.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod bodies;
mod alerts;
mod analytics_webhooks;
mod dashboards;
mod erasing;
mod erasure;
mod events;
mod exports;
mod feeds;
mod partitions;
mod performance;
mod realtime;
mod rollups;
mod receiver;
mod report_schedules;
mod reports;
mod support;
mod whole_service;
