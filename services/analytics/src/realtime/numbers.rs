//! The numbers of the last 30 minutes, from the events themselves.

use std::collections::BTreeMap;

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sqlx::query_as;
use utoipa::ToSchema;

use crate::version;

/// Minutes shown.
const MINUTES: i64 = 30;
/// Within how many minutes somebody has to have done something to be there now.
const ACTIVE_MINUTES: i64 = 5;

/// The last 30 minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(super) struct RealtimeMetrics {
    /// When they were read.
    pub(super) as_of: DateTime<Utc>,
    /// Version of the tenant's data.
    pub(super) data_version: i64,
    /// Every minute, the oldest first; the last one is not over.
    pub(super) minutes: Vec<Minute>,
    /// Different sessions of the last five minutes.
    pub(super) active_sessions: i64,
    /// Different actors of the last five minutes.
    pub(super) active_actors: i64,
}

/// One minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(super) struct Minute {
    /// When it begins.
    pub(super) at: DateTime<Utc>,
    /// Events.
    pub(super) events: i64,
    /// Events by name.
    pub(super) by_name: BTreeMap<String, i64>,
}

/// Reads the numbers, of the events with one of these names, or of all when there are none.
pub(super) async fn read(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    names: &[String],
) -> Result<RealtimeMetrics, DbError> {
    let data_version = version::current(tx).await?;
    let minute = now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now);
    let first = minute - TimeDelta::minutes(MINUTES - 1);
    let rows: Vec<(DateTime<Utc>, String, i64)> = query_as(
        "-- analytics.tracked_events.by_minute\n\
         SELECT date_bin('1 minute', ts, '2000-01-01T00:00:00Z'), name, count(*) FROM analytics.tracked_events \
         WHERE ts >= $1 AND ts <= $2 AND (cardinality($3::text[]) = 0 OR name = ANY ($3)) GROUP BY 1, 2",
    )
    .bind(first)
    .bind(now)
    .bind(names)
    .fetch_all(tx.conn())
    .await?;
    let (active_sessions, active_actors) = query_as(
        "-- analytics.tracked_events.active\n\
         SELECT count(DISTINCT session_id), count(DISTINCT actor_id) FROM analytics.tracked_events \
         WHERE ts >= $1 AND ts <= $2 AND (cardinality($3::text[]) = 0 OR name = ANY ($3))",
    )
    .bind(now - TimeDelta::minutes(ACTIVE_MINUTES))
    .bind(now)
    .bind(names)
    .fetch_one(tx.conn())
    .await?;
    let mut minutes: Vec<Minute> = (0..MINUTES)
        .map(|n| Minute {
            at: first + TimeDelta::minutes(n),
            events: 0,
            by_name: BTreeMap::new(),
        })
        .collect();
    for (at, name, events) in rows {
        if let Some(minute) = minutes.iter_mut().find(|minute| minute.at == at) {
            minute.events += events;
            minute.by_name.insert(name, events);
        }
    }
    Ok(RealtimeMetrics {
        as_of: now,
        data_version,
        minutes,
        active_sessions,
        active_actors,
    })
}

impl RealtimeMetrics {
    /// The same with those minutes only that are not as in `before`.
    pub(super) fn since(&self, before: &Self) -> Self {
        let minutes = self.minutes.iter();
        Self {
            minutes: minutes
                .filter(|minute| !before.minutes.contains(minute))
                .cloned()
                .collect(),
            ..self.clone()
        }
    }
}

/// Names from a list with commas.
pub(super) fn names(list: Option<&str>) -> Vec<String> {
    let names = list.unwrap_or_default().split(',').map(str::trim);
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}
