//! Analytics through its real routes, on a real database, with the weak login.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod alerts;
mod analytics_webhooks;
mod dashboards;
mod erasure;
mod events;
mod feeds;
mod performance;
mod receiver;
mod report_mails;
mod report_schedules;
mod reports;
mod support;
mod whole_service;
