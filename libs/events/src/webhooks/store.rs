//! SQL of webhooks' deliveries, the same in every schema that has them.

use std::time::Duration;

use bz_kernel::TenantId;
use bz_tenant::{Db, DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

/// Turns the next events into deliveries and answers how many events there were; 0 also when another replica is at it.
pub(super) async fn fan_out(db: &Db, now: DateTime<Utc>, max: i32) -> Result<i64, DbError> {
    let mut tx = db.system().await?;
    let sql = format!(
        "-- {0}.webhooks.fan_out\nSELECT {0}.webhooks_fan_out($1, $2)",
        tx.schema()
    );
    let read: Option<i64> = query_scalar(&sql)
        .bind(now)
        .bind(max)
        .fetch_one(tx.conn())
        .await?;
    tx.commit().await?;
    Ok(read.unwrap_or(0))
}

/// Takes what is due, and not of the tenants that are busy: at most so many of a tenant, and so many in all.
pub(super) async fn due(
    db: &Db,
    (now, lease): (DateTime<Utc>, DateTime<Utc>),
    busy: &[Uuid],
    (each, max): (usize, usize),
) -> Result<Vec<(TenantId, Uuid)>, DbError> {
    let sql = format!(
        "-- {0}.webhooks.due\nSELECT tenant_id, id FROM {0}.webhooks_due($1, $2, $3, $4, $5)",
        db.schema()
    );
    let count = |count| i32::try_from(count).unwrap_or(i32::MAX);
    let due = query_as(&sql).bind(now).bind(lease).bind(busy);
    db.due(due.bind(count(each)).bind(count(max))).await
}

/// A delivery that was taken, with its webhook.
#[derive(FromRow)]
pub(super) struct Delivery {
    pub(super) id: Uuid,
    pub(super) webhook: Uuid,
    pub(super) event_id: Uuid,
    pub(super) kind: String,
    pub(super) event_at: DateTime<Utc>,
    pub(super) data: Value,
    pub(super) attempts: i32,
    pub(super) url: String,
    pub(super) enabled: bool,
    pub(super) secret: Vec<u8>,
    pub(super) previous_secret: Option<Vec<u8>>,
    pub(super) previous_secret_until: Option<DateTime<Utc>>,
}

pub(super) async fn load(tx: &mut TenantTx, id: Uuid) -> Result<Option<Delivery>, DbError> {
    let sql = format!(
        "-- {0}.webhooks.load\n\
         SELECT d.id, w.id AS webhook, d.event_id, d.kind, d.event_at, d.data, d.attempts, w.url, w.enabled, w.secret, \
           w.previous_secret, w.previous_secret_until \
         FROM {0}.webhook_deliveries AS d \
         JOIN {0}.webhooks AS w ON w.tenant_id = d.tenant_id AND w.id = d.webhook_id \
         WHERE d.id = $1 AND d.status = 'pending'",
        tx.schema()
    );
    Ok(query_as(&sql).bind(id).fetch_optional(tx.conn()).await?)
}

/// What became of an attempt.
pub(super) struct Report {
    pub(super) success: bool,
    pub(super) status: Option<u16>,
    pub(super) excerpt: Option<String>,
    pub(super) latency: Option<Duration>,
    pub(super) error: Option<&'static str>,
}

/// Ends a delivery, well or not.
pub(super) async fn finish(
    tx: &mut TenantTx,
    delivery: &Delivery,
    report: &Report,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let status = if report.success {
        "delivered"
    } else {
        "failed"
    };
    write(tx, delivery, report, status, None, Some(now)).await
}

/// Leaves a delivery for another attempt.
pub(super) async fn try_again(
    tx: &mut TenantTx,
    delivery: &Delivery,
    report: &Report,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    write(tx, delivery, report, "pending", Some(at), None).await
}

/// Nothing is written when the lease ran out and somebody else has taken the delivery.
async fn write(
    tx: &mut TenantTx,
    delivery: &Delivery,
    report: &Report,
    status: &str,
    next: Option<DateTime<Utc>>,
    finished: Option<DateTime<Utc>>,
) -> Result<(), DbError> {
    let sql = format!(
        "-- {0}.webhooks.write\n\
         UPDATE {0}.webhook_deliveries SET status = $3, next_attempt_at = $4, finished_at = $5, response_status = $6, \
           response_excerpt = $7, latency_ms = $8, error = $9 \
         WHERE id = $1 AND attempts = $2 AND status = 'pending'",
        tx.schema()
    );
    query(&sql)
        .bind(delivery.id)
        .bind(delivery.attempts)
        .bind(status)
        .bind(next)
        .bind(finished)
        .bind(report.status.map(i32::from))
        .bind(&report.excerpt)
        .bind(report.millis())
        .bind(report.error)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// A delivery to the webhook succeeded.
pub(super) async fn recovered(tx: &mut TenantTx, webhook: Uuid) -> Result<(), DbError> {
    let sql = format!(
        "-- {0}.webhooks.recovered\n\
         UPDATE {0}.webhooks SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL",
        tx.schema()
    );
    query(&sql).bind(webhook).execute(tx.conn()).await?;
    Ok(())
}

/// A delivery to the webhook failed. Answers since when they do; none when it is disabled.
pub(super) async fn failing_since(
    tx: &mut TenantTx,
    webhook: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, DbError> {
    let sql = format!(
        "-- {0}.webhooks.failing_since\n\
         UPDATE {0}.webhooks SET failing_since = coalesce(failing_since, $2) WHERE id = $1 AND enabled \
         RETURNING failing_since",
        tx.schema()
    );
    let since = query_scalar(&sql).bind(webhook).bind(now);
    Ok(since.fetch_optional(tx.conn()).await?)
}

/// Disables a webhook; false when it was.
pub(super) async fn disable(
    tx: &mut TenantTx,
    webhook: Uuid,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let sql = format!(
        "-- {0}.webhooks.disable\n\
         UPDATE {0}.webhooks SET enabled = false, disabled_reason = $2, updated_at = $3, version = version + 1 \
         WHERE id = $1 AND enabled",
        tx.schema()
    );
    let done = query(&sql).bind(webhook).bind(reason).bind(now);
    Ok(done.execute(tx.conn()).await?.rows_affected() == 1)
}

/// A message to one webhook that no event of the outbox stands behind: a test.
pub struct Message<'a> {
    /// The delivery's id.
    pub id: Uuid,
    /// The message's id.
    pub event_id: Uuid,
    /// What happened.
    pub kind: &'a str,
    /// The details.
    pub data: Value,
}

/// Queues a message for a webhook in the transaction at hand. Call [`wake`](crate::wake) afterwards.
///
/// # Errors
/// Any [`DbError`].
pub async fn queue(
    tx: &mut TenantTx,
    webhook: Uuid,
    message: Message<'_>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let sql = format!(
        "-- {0}.webhooks.queue\n\
         INSERT INTO {0}.webhook_deliveries \
           (id, webhook_id, event_id, kind, event_at, data, status, next_attempt_at, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, 'pending', $5, $5)",
        tx.schema()
    );
    query(&sql)
        .bind(message.id)
        .bind(webhook)
        .bind(message.event_id)
        .bind(message.kind)
        .bind(now)
        .bind(message.data)
        .execute(tx.conn())
        .await?;
    Ok(())
}
