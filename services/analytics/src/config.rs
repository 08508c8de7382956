//! What analytics can be told.

use bz_http::egress::EgressPolicy;
use bz_service::config::{Config, Env, egress};

/// The configuration of analytics alone.
#[derive(Debug, Clone)]
pub struct AnalyticsConfig {
    /// Where the addresses of data sources may lead.
    pub egress: EgressPolicy,
}

impl Config for AnalyticsConfig {
    fn read(env: &mut Env) -> Option<Self> {
        Some(Self {
            egress: egress(env)?,
        })
    }
}
