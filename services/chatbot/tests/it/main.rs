//! The chatbot with its database and a real CRM on a real port.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod actions;
mod chat;
mod checks;
mod confirmations;
mod conversations;
mod degraded;
mod documents;
mod dry_run;
mod erasure;
mod feedback;
mod guide;
mod handoffs;
mod hostile;
mod languages;
mod latency;
mod limits;
mod numbers;
mod questions;
mod records;
mod retention;
mod rewording;
mod second_opinion;
mod stream;
mod support;
mod undo;
mod widget;
mod widget_in_chromium;
