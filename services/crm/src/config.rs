//! What the CRM can be told.

use bz_service::config::{Config, Env};

/// The CRM's own configuration.
#[derive(Debug, Clone, Copy)]
pub struct CrmConfig {
    /// How many days a deleted record stays in the trash.
    pub trash_days: u16,
}

impl Config for CrmConfig {
    fn read(env: &mut Env) -> Option<Self> {
        let trash_days = env
            .parsed(
                "CRM_TRASH_DAYS",
                "a number of days",
                "How long deleted records stay in the trash, from which they can be restored. Their changes go with them.",
            )
            .or("30");
        Some(Self {
            trash_days: trash_days?,
        })
    }
}
