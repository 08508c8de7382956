//! `GET /internal/events`: a service's events for its siblings.

use axum::{
    Router,
    extract::{FromRef, State},
    routing::get,
};
use bz_auth::{Service, Verifier};
use bz_http::{Json, Problem, Query};
use bz_tenant::{Db, DbError};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::{cursor::FeedCursor, envelope::WireEvent};

/// The most events of one answer.
pub(crate) const MAX_LIMIT: u16 = 1000;
const DEFAULT_LIMIT: u16 = 100;

bz_auth::permissions! {
    /// Follow the events of a service. Services have it, people do not.
    EventsRead = "events:read",
}

/// Where to go on, and how far.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeedQuery {
    #[serde(default)]
    after: FeedCursor,
    limit: Option<u16>,
}

/// A stretch of a feed.
#[derive(Serialize)]
struct FeedPage {
    /// The events, in the feed's order.
    items: Vec<WireEvent>,
    /// Where to go on: behind the last item, or where the question began.
    next_cursor: FeedCursor,
}

/// The route of the feed. It is between services and not part of the public API.
pub fn feed_routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Db: FromRef<S>,
    Verifier: FromRef<S>,
{
    Router::new().route("/internal/events", get(list_events))
}

async fn list_events(
    State(db): State<Db>,
    _caller: Service<EventsRead>,
    Query(query): Query<FeedQuery>,
) -> Result<Json<FeedPage>, Problem> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        let message = format!("must be from 1 to {MAX_LIMIT}");
        return Err(Problem::invalid_parameter("limit", "out_of_range", message));
    }
    Ok(Json(page(&db, query.after, limit).await?))
}

#[derive(FromRow)]
struct Row {
    txid: String,
    #[sqlx(flatten)]
    event: WireEvent,
}

/// Events behind `after`, of transactions that no running one can still come before.
async fn page(db: &Db, after: FeedCursor, limit: u16) -> Result<FeedPage, DbError> {
    let mut tx = db.system().await?;
    let sql = format!(
        "-- {0}.events.after\n\
         SELECT txid::text AS txid, tenant_id, id, seq, kind, at, actor, data, traceparent \
         FROM {0}.events_after($1::text::xid8, $2, $3)",
        tx.schema()
    );
    let rows: Vec<Row> = sqlx::query_as(&sql)
        .bind(after.txid.to_string())
        .bind(after.seq)
        .bind(i32::from(limit))
        .fetch_all(tx.conn())
        .await?;
    let next_cursor = match rows.last() {
        // The text of an xid8 is a number.
        Some(row) => FeedCursor {
            txid: row.txid.parse().unwrap_or(after.txid),
            seq: row.event.seq,
        },
        None => after,
    };
    Ok(FeedPage {
        items: rows.into_iter().map(|row| row.event).collect(),
        next_cursor,
    })
}
