//! Erasing what one actor did (GDPR, article 17): an order, and a job that goes through the days one by one, deletes the
//! actor's events and makes the counts and sketches of the day again from those that are left.

mod get;
mod order;
mod work;

use bz_http::{Routes, routes};
use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, query_as};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::AppState;

pub(crate) use work::job;

bz_auth::permissions! {
    /// Erase what an actor did.
    EventsDelete = "events:delete",
}

/// The routes of this resource.
pub(super) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(order::delete_events))
        .routes(routes!(get::get_event_erasure))
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

/// The order as it is stored.
#[derive(Debug, FromRow)]
struct Row {
    id: Uuid,
    actor_id: Option<String>,
    status: String,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    reached: Option<NaiveDate>,
    deleted: i64,
    finished_at: Option<DateTime<Utc>>,
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

async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<Row>, DbError> {
    Ok(query_as(
        "-- analytics.event_erasures.find\n\
         SELECT id, actor_id, status, created_by, created_at, reached, deleted, finished_at \
         FROM analytics.event_erasures WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(tx.conn())
    .await?)
}
