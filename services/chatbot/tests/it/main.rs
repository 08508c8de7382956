//! The chatbot with its database and a real CRM on a real port.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod chat;
mod checks;
mod confirmations;
mod conversations;
mod degraded;
mod dry_run;
mod erasure;
mod second_opinion;
mod support;
