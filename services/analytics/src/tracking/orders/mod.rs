//! Orders that a job carries out day by day: erasing what one actor did (GDPR, article 17), which deletes the actor's events of a
//! day and counts the day again without them, and counting everything again, which erases nobody.

mod erase;
mod get_erasure;
mod get_rebuild;
mod rebuild;
mod work;

use bz_http::{Routes, routes};
use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, query_as, query_scalar};
use utoipa::ToSchema;
use uuid::Uuid;

use super::event::{MAX_AGE, MAX_AHEAD};
use crate::app::AppState;

pub(crate) use work::job;

bz_auth::permissions! {
    /// Erase what an actor did.
    EventsDelete = "events:delete",
    /// Have everything counted again.
    RollupsManage = "rollups:manage",
}

/// The kind of an order that erases an actor.
const ERASURE: &str = "erasure";
/// The kind of an order that counts everything again.
const REBUILD: &str = "rebuild";

/// The routes of this resource.
pub(super) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(erase::delete_events))
        .routes(routes!(get_erasure::get_event_erasure))
        .routes(routes!(rebuild::create_rollup_rebuild))
        .routes(routes!(get_rebuild::get_rollup_rebuild))
}

/// An order to erase what an actor did. Whose it was is forgotten when it is done.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct EventErasure {
    /// Its id.
    id: Uuid,
    /// `queued`, `running` or `succeeded`.
    status: String,
    /// Events deleted so far.
    deleted: i64,
    /// Who ordered it.
    created_by: UserId,
    /// When it was ordered.
    created_at: DateTime<Utc>,
    /// When the last event was gone.
    finished_at: Option<DateTime<Utc>>,
}

/// An order to count everything again from the events.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct RollupRebuild {
    /// Its id.
    id: Uuid,
    /// `queued`, `running` or `succeeded`.
    status: String,
    /// How much of the time since the oldest event is counted again, in percent.
    percent: u8,
    /// The day (UTC) that was counted last: it begins with the newest one.
    reached: Option<NaiveDate>,
    /// Who ordered it.
    created_by: UserId,
    /// When it was ordered.
    created_at: DateTime<Utc>,
    /// When the last day was counted.
    finished_at: Option<DateTime<Utc>>,
}

/// The order as it is stored.
#[derive(Debug, FromRow)]
struct Row {
    id: Uuid,
    kind: String,
    actor_id: Option<String>,
    status: String,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    reached: Option<NaiveDate>,
    deleted: i64,
    finished_at: Option<DateTime<Utc>>,
}

/// What an order is to do.
#[derive(Debug, Clone, Copy)]
enum Task<'a> {
    /// Erase this actor.
    Erase(&'a str),
    /// Count everything again.
    Rebuild,
}

impl Row {
    /// What is to be done; none when it is done.
    fn task(&self) -> Option<Task<'_>> {
        match &self.actor_id {
            Some(actor) => Some(Task::Erase(actor)),
            None => (self.kind == REBUILD && self.status != "succeeded").then_some(Task::Rebuild),
        }
    }

    /// The newest day that an event may have had when it was ordered.
    fn newest(&self) -> NaiveDate {
        (self.created_at + MAX_AHEAD).date_naive()
    }

    /// How far it is on the way to the day of the tenant's oldest event.
    fn percent(&self, oldest_event: Option<NaiveDate>) -> u8 {
        let oldest = (self.created_at - MAX_AGE).date_naive();
        let oldest = oldest_event.map_or(oldest, |day| day.max(oldest));
        // The day before the first one, so that the last one is not all of it before it is done.
        let all = (self.newest() - (oldest - Days::new(1))).num_days().max(1);
        let done = self
            .reached
            .map_or(0, |day| (self.newest() - day).num_days());
        u8::try_from((100 * done / all).clamp(0, 99)).unwrap_or(99)
    }
}

impl From<Row> for EventErasure {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            status: row.status,
            deleted: row.deleted,
            created_by: UserId::from_uuid(row.created_by),
            created_at: row.created_at,
            finished_at: row.finished_at,
        }
    }
}

impl RollupRebuild {
    /// The order with this id, and how far it is.
    async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<Self>, DbError> {
        let Some(row) = find(tx, id, REBUILD).await? else {
            return Ok(None);
        };
        let percent = match row.status.as_str() {
            "succeeded" => 100,
            _ => row.percent(day_of_oldest_event(tx).await?),
        };
        Ok(Some(Self {
            percent,
            id: row.id,
            status: row.status,
            reached: row.reached,
            created_by: UserId::from_uuid(row.created_by),
            created_at: row.created_at,
            finished_at: row.finished_at,
        }))
    }
}

/// The order of this kind.
async fn find(tx: &mut TenantTx, id: Uuid, kind: &str) -> Result<Option<Row>, DbError> {
    let row = any(tx, id).await?;
    Ok(row.filter(|row| row.kind == kind))
}

/// The order, of whichever kind it is.
async fn any(tx: &mut TenantTx, id: Uuid) -> Result<Option<Row>, DbError> {
    Ok(query_as(
        "-- analytics.event_erasures.find\n\
         SELECT id, kind, actor_id, status, created_by, created_at, reached, deleted, finished_at \
         FROM analytics.event_erasures WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(tx.conn())
    .await?)
}

async fn day_of_oldest_event(tx: &mut TenantTx) -> Result<Option<NaiveDate>, DbError> {
    Ok(query_scalar(
        "-- analytics.tracked_events.oldest_day\nSELECT (min(ts) AT TIME ZONE 'UTC')::date FROM analytics.tracked_events",
    )
    .fetch_one(tx.conn())
    .await?)
}
