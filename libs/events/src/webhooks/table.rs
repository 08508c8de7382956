//! SQL of webhooks, the same in every schema that has them. Row-level security confines every statement to the tenant of
//! the transaction.

use bz_kernel::UserId;
use bz_tenant::{DbError, SystemTx, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use super::resource::{CreateWebhook, Delivery, Webhook};

const COLUMNS: &str = "id, url, kinds, description, enabled, disabled_reason, failing_since, previous_secret_until, created_by, \
         created_at, updated_at, version";

const DELIVERY_COLUMNS: &str = "id, webhook_id, event_id, kind, status, attempts, next_attempt_at, last_attempt_at, response_status, \
         response_excerpt, latency_ms, error, replay_of, created_at, finished_at";

#[derive(FromRow)]
struct WebhookRow {
    id: Uuid,
    url: String,
    kinds: Vec<String>,
    description: Option<String>,
    enabled: bool,
    disabled_reason: Option<String>,
    failing_since: Option<DateTime<Utc>>,
    previous_secret_until: Option<DateTime<Utc>>,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

impl From<WebhookRow> for Webhook {
    fn from(row: WebhookRow) -> Self {
        Self {
            id: row.id,
            url: row.url,
            events: row.kinds,
            description: row.description,
            enabled: row.enabled,
            disabled_reason: row.disabled_reason,
            failing_since: row.failing_since,
            previous_secret_until: row.previous_secret_until,
            created_by: row.created_by.into(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// How many webhooks the tenant has.
///
/// # Errors
/// Any [`DbError`].
pub async fn count(tx: &mut TenantTx) -> Result<i64, DbError> {
    let sql = format!(
        "-- {0}.webhooks.count\nSELECT count(*) FROM {0}.webhooks",
        tx.schema()
    );
    let count = query_scalar(&sql);
    Ok(count.fetch_one(tx.conn()).await?)
}

/// Writes a new webhook with its sealed secret.
///
/// # Errors
/// Any [`DbError`].
pub async fn insert(
    tx: &mut TenantTx,
    id: Uuid,
    (by, now): (UserId, DateTime<Utc>),
    webhook: &CreateWebhook,
    secret: &[u8],
) -> Result<Webhook, DbError> {
    let row: WebhookRow = query_as(&format!("-- {0}.webhooks.insert\n\
         INSERT INTO {0}.webhooks (id, url, kinds, description, enabled, secret, created_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, true, $5, $6, $7, $7) RETURNING {COLUMNS}", tx.schema()))
    .bind(id)
    .bind(&webhook.url)
    .bind(&webhook.events)
    .bind(&webhook.description)
    .bind(secret)
    .bind(by.as_uuid())
    .bind(now)
    .fetch_one(tx.conn())
    .await?;
    Ok(row.into())
}

/// A webhook.
///
/// # Errors
/// Any [`DbError`].
pub async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<Webhook>, DbError> {
    let row: Option<WebhookRow> = query_as(&format!(
        "-- {0}.webhooks.find\nSELECT {COLUMNS} FROM {0}.webhooks WHERE id = $1",
        tx.schema()
    ))
    .bind(id)
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Into::into))
}

/// Locks the webhook until the transaction ends, so that a change is made on what was read.
///
/// # Errors
/// Any [`DbError`].
pub async fn find_for_update(tx: &mut TenantTx, id: Uuid) -> Result<Option<Webhook>, DbError> {
    let row: Option<WebhookRow> = query_as(&format!("-- {0}.webhooks.find_for_update\nSELECT {COLUMNS} FROM {0}.webhooks WHERE id = $1 FOR UPDATE", tx.schema()))
    .bind(id)
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Into::into))
}

/// The sealed secret.
///
/// # Errors
/// Any [`DbError`].
pub async fn secret(tx: &mut TenantTx, id: Uuid) -> Result<Option<Vec<u8>>, DbError> {
    let sql = format!(
        "-- {0}.webhooks.secret\nSELECT secret FROM {0}.webhooks WHERE id = $1",
        tx.schema()
    );
    Ok(query_scalar(&sql)
        .bind(id)
        .fetch_optional(tx.conn())
        .await?)
}

/// One page and one more, newest first.
///
/// # Errors
/// Any [`DbError`].
pub async fn list(
    tx: &mut TenantTx,
    before: Option<Uuid>,
    limit: u16,
) -> Result<Vec<Webhook>, DbError> {
    let rows: Vec<WebhookRow> = query_as(&format!("-- {0}.webhooks.list\nSELECT {COLUMNS} FROM {0}.webhooks WHERE ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2", tx.schema()))
    .bind(before)
    .bind(i64::from(limit) + 1)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Writes all writable fields of a webhook that [`find_for_update`] locked.
///
/// # Errors
/// Any [`DbError`].
pub async fn update(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    webhook: &Webhook,
) -> Result<Webhook, DbError> {
    let row: WebhookRow = query_as(&format!("-- {0}.webhooks.update\n\
         UPDATE {0}.webhooks SET url = $2, kinds = $3, description = $4, enabled = $5, disabled_reason = $6, \
           failing_since = $7, updated_at = $8, version = version + 1 WHERE id = $1 RETURNING {COLUMNS}", tx.schema()))
    .bind(webhook.id)
    .bind(&webhook.url)
    .bind(&webhook.events)
    .bind(&webhook.description)
    .bind(webhook.enabled)
    .bind(&webhook.disabled_reason)
    .bind(webhook.failing_since)
    .bind(now)
    .fetch_one(tx.conn())
    .await?;
    Ok(row.into())
}

/// Deletes a webhook that [`find_for_update`] locked.
///
/// # Errors
/// Any [`DbError`].
pub async fn delete(tx: &mut TenantTx, id: Uuid) -> Result<(), DbError> {
    let sql = format!(
        "-- {0}.webhooks.delete\nDELETE FROM {0}.webhooks WHERE id = $1",
        tx.schema()
    );
    query(&sql).bind(id).execute(tx.conn()).await?;
    Ok(())
}

/// Puts a new sealed secret in the place of the current one, which lives on until an instant.
///
/// # Errors
/// Any [`DbError`].
pub async fn rotate(
    tx: &mut TenantTx,
    id: Uuid,
    secret: &[u8],
    (now, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Option<Webhook>, DbError> {
    let row: Option<WebhookRow> = query_as(&format!("-- {0}.webhooks.rotate\n\
         UPDATE {0}.webhooks SET previous_secret = secret, previous_secret_until = $3, secret = $2, \
           updated_at = $4, version = version + 1 WHERE id = $1 RETURNING {COLUMNS}", tx.schema()))
    .bind(id)
    .bind(secret)
    .bind(until)
    .bind(now)
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Into::into))
}

/// A delivery.
///
/// # Errors
/// Any [`DbError`].
pub async fn delivery(tx: &mut TenantTx, id: Uuid) -> Result<Option<Delivery>, DbError> {
    let sql = format!(
        "-- {0}.webhooks.delivery\nSELECT {DELIVERY_COLUMNS} FROM {0}.webhook_deliveries WHERE id = $1",
        tx.schema()
    );
    let delivery = query_as(&sql);
    Ok(delivery.bind(id).fetch_optional(tx.conn()).await?)
}

/// One page and one more of a webhook's deliveries, newest first.
///
/// # Errors
/// Any [`DbError`].
pub async fn deliveries(
    tx: &mut TenantTx,
    webhook: Uuid,
    status: Option<&str>,
    before: Option<Uuid>,
    limit: u16,
) -> Result<Vec<Delivery>, DbError> {
    let sql = format!(
        "-- {0}.webhooks.deliveries\nSELECT {DELIVERY_COLUMNS} FROM {0}.webhook_deliveries \
         WHERE webhook_id = $1 AND ($2::text IS NULL OR status = $2) AND ($3::uuid IS NULL OR id < $3) \
         ORDER BY id DESC LIMIT $4",
        tx.schema()
    );
    let deliveries = query_as(&sql)
        .bind(webhook)
        .bind(status)
        .bind(before)
        .bind(i64::from(limit) + 1);
    Ok(deliveries.fetch_all(tx.conn()).await?)
}

/// Queues a delivery once more.
///
/// # Errors
/// Any [`DbError`].
pub async fn replay(
    tx: &mut TenantTx,
    delivery: Uuid,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Delivery, DbError> {
    let sql = format!(
        "-- {0}.webhooks.replay\n\
         INSERT INTO {0}.webhook_deliveries \
           (id, webhook_id, event_id, kind, event_at, data, replay_of, status, next_attempt_at, created_at) \
         SELECT $2, webhook_id, event_id, kind, event_at, data, id, 'pending', $3, $3 \
         FROM {0}.webhook_deliveries WHERE id = $1 RETURNING {DELIVERY_COLUMNS}",
        tx.schema()
    );
    let again = query_as(&sql).bind(delivery).bind(id).bind(now);
    Ok(again.fetch_one(tx.conn()).await?)
}

/// Deletes a batch of deliveries that ended before an instant and answers how many.
///
/// # Errors
/// Any [`DbError`].
pub async fn purge_deliveries(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    batch: i32,
) -> Result<i64, DbError> {
    let sql = format!(
        "-- {0}.webhooks.purge_deliveries\nSELECT {0}.purge_webhook_deliveries($1, $2)",
        tx.schema()
    );
    let purged = query_scalar(&sql).bind(before).bind(batch);
    Ok(purged.fetch_one(tx.conn()).await?)
}
