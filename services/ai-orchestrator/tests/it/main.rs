//! The AI orchestrator through its real routes, against servers that answer as real providers did.
#![expect(clippy::unwrap_used, reason = "a panic is how a helper fails the test")]

mod agents;
mod budgets;
mod chat;
mod embeddings;
mod fallback;
mod faults;
mod gateway;
mod models;
mod openai_client;
mod provider;
mod transcript;
mod whole_service;
