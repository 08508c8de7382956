//! Alerts that fire, for those who look at the numbers that they watch.

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{query_as, types::Json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::resource::Definition;
use crate::query::Filter;

/// An alert that fires.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct FiringAlert {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The number that is watched.
    pub metric: String,
    /// What of it is watched, for example the account of one client.
    pub filters: Vec<Filter>,
    /// Since when it fires.
    pub since: DateTime<Utc>,
}

impl FiringAlert {
    /// Whether it watches one of these numbers, filtered in this way or more.
    pub(crate) fn is_about(&self, metrics: &[String], filters: &[&Filter]) -> bool {
        let watched = |filter: &&Filter| self.filters.contains(filter);
        metrics.contains(&self.metric) && filters.iter().all(watched)
    }
}

/// The alerts of the tenant that fire, the first one first.
pub(crate) async fn firing(tx: &mut TenantTx) -> Result<Vec<FiringAlert>, DbError> {
    let rows: Vec<(Uuid, String, Json<Definition>, DateTime<Utc>)> = query_as(
        "-- analytics.alerts.firing\n\
         SELECT id, name, definition, state_since FROM analytics.alerts WHERE enabled AND state = 'firing' ORDER BY state_since, id",
    )
    .fetch_all(tx.conn())
    .await?;
    let alert = |(id, name, Json(definition), since): (_, _, Json<Definition>, _)| FiringAlert {
        id,
        name,
        metric: definition.metric,
        filters: definition.filters,
        since,
    };
    Ok(rows.into_iter().map(alert).collect())
}
