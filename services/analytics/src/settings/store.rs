//! SQL of settings.

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{query, query_as};

use super::AnalyticsSettings;

/// The settings, or what stands for them.
pub(super) async fn find(tx: &mut TenantTx) -> Result<AnalyticsSettings, DbError> {
    let found: Option<(String, Option<String>)> =
        query_as("-- analytics.settings.find\nSELECT timezone, currency FROM analytics.settings")
            .fetch_optional(tx.conn())
            .await?;
    let (timezone, currency) = found.unwrap_or_else(|| ("UTC".to_owned(), None));
    Ok(AnalyticsSettings { timezone, currency })
}

/// Puts them in the place of what was there.
pub(super) async fn replace(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    settings: &AnalyticsSettings,
) -> Result<(), DbError> {
    query(
        "-- analytics.settings.replace\n\
         INSERT INTO analytics.settings (timezone, currency, updated_at) VALUES ($1, $2, $3) \
         ON CONFLICT (tenant_id) DO UPDATE \
           SET timezone = excluded.timezone, currency = excluded.currency, updated_at = excluded.updated_at",
    )
    .bind(&settings.timezone)
    .bind(&settings.currency)
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}
