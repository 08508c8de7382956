//! Writing events in the transaction of the change.

use bz_http::context;
use bz_kernel::{EventId, Sources, UserId};
use bz_tenant::{DbError, TenantTx};
use serde::Serialize;

/// Something that is happening in the transaction at hand.
#[derive(Clone, Debug)]
pub struct NewEvent<T> {
    /// What: `lead.created`. The part before the dot is the resource.
    pub kind: &'static str,
    /// The person who does it; nobody for background work.
    pub actor: Option<UserId>,
    /// The details. Ids and states, no names and no addresses: events are kept and copied.
    pub data: T,
}

/// Writes an event to the outbox of the transaction's service. Whoever reads the feed sees it if and only if the
/// transaction commits. Call [`wake`](crate::wake) afterwards.
///
/// # Errors
/// Any [`DbError`].
pub async fn append<T: Serialize>(
    tx: &mut TenantTx,
    sources: &Sources,
    event: NewEvent<T>,
) -> Result<EventId, DbError> {
    let id: EventId = sources.id();
    let sql = format!(
        "-- {0}.events.append\n\
         INSERT INTO {0}.events (id, kind, at, actor, data, traceparent) VALUES ($1, $2, $3, $4, $5, $6)",
        tx.schema()
    );
    sqlx::query(&sql)
        .bind(id.as_uuid())
        .bind(event.kind)
        .bind(sources.now())
        .bind(event.actor.map(UserId::as_uuid))
        .bind(sqlx::types::Json(event.data))
        .bind(context::traceparent())
        .execute(tx.conn())
        .await?;
    Ok(id)
}

/// Writes many events to the outbox with one statement, in their order. Otherwise as [`append`].
///
/// # Errors
/// Any [`DbError`].
pub async fn append_all<T: Serialize>(
    tx: &mut TenantTx,
    sources: &Sources,
    events: &[NewEvent<T>],
) -> Result<(), DbError> {
    let ids: Vec<uuid::Uuid> = events
        .iter()
        .map(|_| sources.id::<EventId>().as_uuid())
        .collect();
    let kinds: Vec<&str> = events.iter().map(|event| event.kind).collect();
    let actors: Vec<Option<uuid::Uuid>> = events
        .iter()
        .map(|event| event.actor.map(UserId::as_uuid))
        .collect();
    let data: Vec<sqlx::types::Json<&T>> = events
        .iter()
        .map(|event| sqlx::types::Json(&event.data))
        .collect();
    let sql = format!(
        "-- {0}.events.append_all\n\
         INSERT INTO {0}.events (id, kind, at, actor, data, traceparent) \
         SELECT e.id, e.kind, $5, e.actor, e.data, $6 \
         FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::jsonb[]) WITH ORDINALITY AS e (id, kind, actor, data, n) \
         ORDER BY e.n",
        tx.schema()
    );
    sqlx::query(&sql)
        .bind(ids)
        .bind(kinds)
        .bind(actors)
        .bind(data)
        .bind(sources.now())
        .bind(context::traceparent())
        .execute(tx.conn())
        .await?;
    Ok(())
}
