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
mod metrics;
mod metrics_cache;
mod metrics_deals;
mod metrics_dimensions;
mod metrics_events;
mod metrics_facts;
mod metrics_sales;
mod metrics_speed;
mod metrics_standing;
mod partitions;
mod performance;
mod realtime;
mod receiver;
mod report_schedules;
mod reports;
mod rollups;
mod settings;
mod support;
mod whole_service;
