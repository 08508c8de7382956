//! Lead scoring. A score is a probability of winning, explained by contributions in log-odds that add up:
//! `base.log_odds + Σ contributions = logit(probability)`. A tenant starts with rules that it may change; once enough
//! outcomes are known, a model of [`bz_scoring`] learns from them, when it is better.
//!
//! What a model reads of a lead is in [`features`], as it was known when the lead was new ([`subject`]). Scores on the
//! leads follow what happens to them ([`jobs`], [`rescore`]); trainings are jobs in a table ([`training`]).

mod answer;
pub(crate) mod api;
pub(crate) mod assess;
mod compute;
pub(crate) mod current;
mod default_rules;
mod features;
mod jobs;
mod models;
mod nightly;
mod outcomes;
pub(crate) mod rescore;
mod rule_set;
pub(crate) mod settings;
pub(crate) mod subject;
mod training;

use std::{sync::Arc, time::Duration};

use bz_kernel::TenantId;
use moka::sync::Cache;

pub(crate) use answer::{Grade, LeadScore, PastScore, ScoreMode};
pub(crate) use jobs::jobs;

use compute::Compute;

/// How long a tenant's setup is taken for current, and how many tenants' setups are kept.
const CURRENT: Duration = Duration::from_secs(1);
const TENANTS: u64 = 10_000;

/// What scoring keeps in memory.
#[derive(Clone)]
pub(crate) struct Scoring {
    /// How tenants score.
    setups: Cache<TenantId, Arc<settings::Setup>>,
    /// Models that were used.
    models: models::Models,
    /// Scores of many leads.
    compute: Compute,
    /// Trainings: one at a time.
    training: Compute,
}

impl Scoring {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            setups: Cache::builder()
                .max_capacity(TENANTS)
                .time_to_live(CURRENT)
                .build(),
            models: models::cache(),
            compute: Compute::new(1),
            training: Compute::new(1),
        }
    }

    /// Has a tenant's setup read again, because it was changed.
    fn forget(&self, tenant: TenantId) {
        self.setups.invalidate(&tenant);
    }
}

#[cfg(test)]
mod tests;
