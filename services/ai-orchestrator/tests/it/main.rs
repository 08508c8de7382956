//! The AI orchestrator through its real routes, against servers that answer as real providers did.
#![expect(clippy::unwrap_used, reason = "a panic is how a helper fails the test")]

mod agents;
mod chat;
mod embeddings;
mod faults;
mod gateway;
mod provider;
mod transcript;
mod whole_service;
