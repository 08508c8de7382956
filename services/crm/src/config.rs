//! What the CRM can be told.

use bz_http::egress::EgressPolicy;
use bz_service::config::{Config, Env, egress};

/// The CRM's own configuration.
#[derive(Debug, Clone)]
pub struct CrmConfig {
    /// Where webhooks may lead.
    pub egress: EgressPolicy,
    /// The model that makes the vectors of the search by meaning.
    pub embedding_model: String,
    /// How many days a deleted record stays in the trash.
    pub trash_days: u16,
}

impl Config for CrmConfig {
    fn read(env: &mut Env) -> Option<Self> {
        let egress = egress(env);
        let embedding_model = env
            .text(
                "EMBEDDING_MODEL",
                "Model of the AI orchestrator that makes the vectors of the search by meaning: `hashing-384`, which needs no \
                 LLM but knows words only, or one of the configured provider. With another one all vectors are made anew.",
            )
            .or("hashing-384");
        let trash_days = env
            .parsed(
                "CRM_TRASH_DAYS",
                "a number of days",
                "How long deleted records stay in the trash, from which they can be restored. Their changes go with them.",
            )
            .or("30");
        Some(Self {
            egress: egress?,
            embedding_model: embedding_model?,
            trash_days: trash_days?,
        })
    }
}
