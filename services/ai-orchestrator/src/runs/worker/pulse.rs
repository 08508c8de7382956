//! What `/health` says of runs: counts and the ready agents' states, nothing of any tenant.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{agents::AgentStatus, runs::RunStatus};

/// What there is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pulse {
    slots: usize,
    busy: usize,
    queued: i64,
    running: i64,
    waiting_retry: i64,
    oldest_queued_s: Option<i64>,
    /// Runs at work of each ready agent in this process.
    at_work: HashMap<String, usize>,
    /// How the last run of each ready agent went here.
    last: HashMap<String, RunStatus>,
}

impl Pulse {
    /// Nothing yet.
    pub(super) fn new(slots: usize) -> Self {
        Self {
            slots,
            ..Self::default()
        }
    }

    /// A run begins here, of a ready agent perhaps.
    pub(super) fn begun(&mut self, ready: Option<&str>) {
        self.busy += 1;
        if let Some(name) = ready {
            *self.at_work.entry(name.to_owned()).or_default() += 1;
        }
    }

    /// It ended here.
    pub(super) fn ended(&mut self, ready: Option<&str>, status: Option<RunStatus>) {
        self.busy = self.busy.saturating_sub(1);
        let Some(name) = ready else { return };
        if let Some(count) = self.at_work.get_mut(name) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.at_work.remove(name);
            }
        }
        if let Some(status) = status {
            self.last.insert(name.to_owned(), status);
        }
    }

    /// The open runs of all tenants, by state, with the oldest of each.
    pub(super) fn counted(
        &mut self,
        open: &[(String, i64, Option<DateTime<Utc>>)],
        now: DateTime<Utc>,
    ) {
        let of = |status: RunStatus| open.iter().find(|(name, ..)| name == status.name());
        let count = |status| of(status).map_or(0, |(_, count, _)| *count);
        self.queued = count(RunStatus::Queued);
        self.running = count(RunStatus::Running);
        self.waiting_retry = count(RunStatus::WaitingRetry);
        let oldest = of(RunStatus::Queued).and_then(|(.., oldest)| *oldest);
        self.oldest_queued_s = oldest.map(|oldest| (now - oldest).num_seconds().max(0));
    }

    /// What an agent does here, or how its last run went.
    pub(crate) fn status_of(&self, name: &str) -> AgentStatus {
        match self.last.get(name) {
            _ if self.at_work.contains_key(name) => AgentStatus::Running,
            Some(RunStatus::WaitingApproval) => AgentStatus::WaitingApproval,
            Some(RunStatus::Failed) => AgentStatus::Failed,
            _ => AgentStatus::Idle,
        }
    }

    /// The open runs.
    pub(crate) fn runs(&self) -> Value {
        json!({
            "queued": self.queued,
            "running": self.running,
            "waiting_retry": self.waiting_retry,
            "oldest_queued_s": self.oldest_queued_s,
        })
    }

    /// The workers of this process.
    pub(crate) fn workers(&self) -> Value {
        json!({ "slots": self.slots, "busy": self.busy })
    }
}
