//! The AI orchestrator through its real routes, against servers that answer as real providers did.
#![expect(clippy::unwrap_used, reason = "a panic is how a helper fails the test")]

mod agents;
mod budgets;
mod catalogue;
mod chat;
mod crash;
mod crews;
mod embeddings;
mod fallback;
mod faults;
mod gateway;
mod ledger;
mod mcp;
mod mcp_calls;
mod mcp_programs;
mod mcp_server;
mod models;
mod openai_client;
mod performance;
mod play;
mod process;
mod programs;
mod provider;
mod run_answers;
mod run_approvals;
mod run_budgets;
mod run_deltas;
mod run_limits;
mod run_workers;
mod runs;
mod schedules;
mod tools;
mod transcript;
mod whole_service;
