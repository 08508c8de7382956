//! What is known of a tenant before anything is counted.

use bz_tenant::{DbError, TenantTx};
use sqlx::{FromRow, query_as};

/// The state of a tenant's data and its settings.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(super) struct Head {
    /// One more with every write.
    pub(super) version: i64,
    /// The time zones whose days are counted.
    pub(super) zones: Vec<String>,
    /// The tenant's time zone.
    pub(super) timezone: String,
    /// The tenant's currency, if it has said.
    pub(super) currency: Option<String>,
    /// Which database this is. A version is counted up again after a backup was restored, and this is another one then.
    pub(super) origin: String,
}

/// Reads it.
pub(super) async fn load(tx: &mut TenantTx) -> Result<Head, DbError> {
    Ok(query_as(
        "-- analytics.tenant_data.head\n\
         SELECT coalesce((SELECT version FROM analytics.tenant_data), 0) AS version, \
                coalesce((SELECT zones FROM analytics.tenant_data), '{UTC}') AS zones, \
                coalesce((SELECT timezone FROM analytics.settings), 'UTC') AS timezone, \
                (SELECT currency FROM analytics.settings) AS currency, \
                concat_ws('.', extract(epoch FROM pg_postmaster_start_time()), \
                          (SELECT oid FROM pg_database WHERE datname = current_database()), \
                          pg_relation_filenode('analytics.tenant_data')) AS origin",
    )
    .fetch_one(tx.conn())
    .await?)
}
