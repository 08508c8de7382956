//! What analytics can be told.

use bz_http::egress::EgressPolicy;
use bz_mail::MailConfig;
use bz_service::config::{Config, Env, egress};

/// Analytics' own configuration.
#[derive(Debug, Clone)]
pub struct AnalyticsConfig {
    /// Where webhooks and the addresses of data sources may lead.
    pub egress: EgressPolicy,
    /// How reports and alerts leave by mail.
    pub mail: MailConfig,
    /// Requests with events that a tenant may send a minute; 0 for any number.
    pub batches_a_minute: u32,
}

impl Config for AnalyticsConfig {
    fn read(env: &mut Env) -> Option<Self> {
        let egress = egress(env);
        let environment = env
            .text(
                "ENVIRONMENT",
                "`production` or `development`; in development mails are files below `.dev/mails` without `MAIL_URL`.",
            )
            .or("production");
        let is_development = environment? == "development";
        let mail = MailConfig::read(env, is_development);
        let batches_a_minute = env
            .number(
                "EVENT_BATCHES_PER_TENANT",
                "Requests with events that a tenant may send a minute; 0 for any number.",
            )
            .or("30000");
        Some(Self {
            egress: egress?,
            mail: mail?,
            batches_a_minute: batches_a_minute?,
        })
    }
}
