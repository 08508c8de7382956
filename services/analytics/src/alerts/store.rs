//! SQL of alerts.

use bz_kernel::TenantId;
use bz_tenant::{Db, DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, query_scalar, types::Json};
use uuid::Uuid;

use super::{
    judge::Finding,
    resource::{Alert, CreateAlert, Definition},
    state::{AlertState, Standing},
};
use crate::reports::Failure;

#[derive(FromRow)]
struct AlertRow {
    id: Uuid,
    name: String,
    definition: Json<Definition>,
    enabled: bool,
    state: String,
    state_since: DateTime<Utc>,
    streak: i32,
    told: bool,
    told_at: Option<DateTime<Utc>>,
    last_bucket: Option<String>,
    last_finding: Option<Json<Finding>>,
    error: Option<Json<Failure>>,
    checked_at: Option<DateTime<Utc>>,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

const COLUMNS: &str = "id, name, definition, enabled, state, state_since, streak, told, told_at, last_bucket, last_finding, error, \
     checked_at, created_by, created_at, updated_at, version";

impl From<AlertRow> for Alert {
    fn from(row: AlertRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            definition: row.definition.0,
            enabled: row.enabled,
            state: AlertState::named(&row.state),
            state_since: row.state_since,
            streak: row.streak,
            last_bucket: row.last_bucket,
            last_finding: row.last_finding.map(|finding| finding.0),
            told_at: row.told_at,
            checked_at: row.checked_at,
            error: row.error.map(|error| error.0),
            created_by: row.created_by.into(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// How many alerts the tenant has.
pub(super) async fn count(tx: &mut TenantTx) -> Result<i64, DbError> {
    let count = query_scalar("-- analytics.alerts.count\nSELECT count(*) FROM analytics.alerts");
    Ok(count.fetch_one(tx.conn()).await?)
}

pub(super) async fn insert(
    tx: &mut TenantTx,
    id: Uuid,
    (by, now): (Uuid, DateTime<Utc>),
    new: &CreateAlert,
) -> Result<Alert, DbError> {
    let sql = format!(
        "-- analytics.alerts.insert\n\
         INSERT INTO analytics.alerts \
           (id, name, definition, enabled, state_since, next_check_at, created_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $5, $6, $5, $5) RETURNING {COLUMNS}"
    );
    let row: AlertRow = query_as(&sql)
        .bind(id)
        .bind(new.name.trim())
        .bind(Json(&new.definition))
        .bind(new.enabled)
        .bind(now)
        .bind(by)
        .fetch_one(tx.conn())
        .await?;
    Ok(row.into())
}

pub(super) async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<Alert>, DbError> {
    Ok(one(tx, id, "").await?.map(Into::into))
}

pub(super) async fn find_for_update(tx: &mut TenantTx, id: Uuid) -> Result<Option<Alert>, DbError> {
    Ok(one(tx, id, "FOR UPDATE").await?.map(Into::into))
}

/// The same with what is remembered for its next piece of time.
pub(super) async fn standing(
    tx: &mut TenantTx,
    id: Uuid,
) -> Result<Option<(Alert, Standing)>, DbError> {
    Ok(one(tx, id, "FOR UPDATE").await?.map(|row| {
        let standing = Standing {
            state: AlertState::named(&row.state),
            streak: row.streak,
            told: row.told,
            told_at: row.told_at,
        };
        (row.into(), standing)
    }))
}

async fn one(tx: &mut TenantTx, id: Uuid, lock: &str) -> Result<Option<AlertRow>, DbError> {
    let sql = format!(
        "-- analytics.alerts.find\nSELECT {COLUMNS} FROM analytics.alerts WHERE id = $1 {lock}"
    );
    Ok(query_as(&sql).bind(id).fetch_optional(tx.conn()).await?)
}

/// Alerts from `after` on, the newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Alert>, DbError> {
    let sql = format!(
        "-- analytics.alerts.list\n\
         SELECT {COLUMNS} FROM analytics.alerts WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2"
    );
    let rows: Vec<AlertRow> = query_as(&sql)
        .bind(after)
        .bind(limit)
        .fetch_all(tx.conn())
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Writes what somebody changed. With `anew` all that was found is forgotten.
pub(super) async fn update(
    tx: &mut TenantTx,
    wanted: &Alert,
    anew: bool,
    now: DateTime<Utc>,
) -> Result<Alert, DbError> {
    let sql = format!(
        "-- analytics.alerts.update\n\
         UPDATE analytics.alerts SET name = $2, definition = $3, enabled = $4, next_check_at = $5, updated_at = $5, \
           version = version + 1, \
           state = CASE WHEN $6 THEN 'ok' ELSE state END, state_since = CASE WHEN $6 THEN $5 ELSE state_since END, \
           streak = CASE WHEN $6 THEN 0 ELSE streak END, told = told AND NOT $6, \
           last_bucket = CASE WHEN NOT $6 THEN last_bucket END, last_finding = CASE WHEN NOT $6 THEN last_finding END, \
           error = CASE WHEN NOT $6 THEN error END \
         WHERE id = $1 RETURNING {COLUMNS}"
    );
    let row: AlertRow = query_as(&sql)
        .bind(wanted.id)
        .bind(wanted.name.trim())
        .bind(Json(&wanted.definition))
        .bind(wanted.enabled)
        .bind(now)
        .bind(anew)
        .fetch_one(tx.conn())
        .await?;
    Ok(row.into())
}

/// What a check found.
pub(super) struct Checked<'a> {
    pub(super) standing: Standing,
    pub(super) bucket: Option<&'a str>,
    pub(super) finding: Option<&'a Finding>,
    pub(super) error: Option<&'a Failure>,
    pub(super) now: DateTime<Utc>,
    pub(super) next_check_at: DateTime<Utc>,
}

pub(super) async fn checked(
    tx: &mut TenantTx,
    id: Uuid,
    checked: &Checked<'_>,
) -> Result<(), DbError> {
    query(
        "-- analytics.alerts.checked\n\
         UPDATE analytics.alerts SET state_since = CASE WHEN state = $2 THEN state_since ELSE $8 END, state = $2, streak = $3, \
           told = $4, told_at = $5, last_bucket = coalesce($6, last_bucket), last_finding = coalesce($7, last_finding), \
           checked_at = $8, next_check_at = $9, error = $10 WHERE id = $1",
    )
    .bind(id)
    .bind(checked.standing.state.as_str())
    .bind(checked.standing.streak)
    .bind(checked.standing.told)
    .bind(checked.standing.told_at)
    .bind(checked.bucket)
    .bind(checked.finding.map(Json))
    .bind(checked.now)
    .bind(checked.next_check_at)
    .bind(checked.error.map(Json))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes a mail to somebody.
pub(super) async fn mail(
    tx: &mut TenantTx,
    id: Uuid,
    to: &str,
    (subject, body): (&str, &str),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- analytics.mails.of_alert\n\
         INSERT INTO analytics.mails (id, address, subject, body, status, due_at, created_at) \
         VALUES ($1, $2, $3, $4, 'pending', $5, $5)",
    )
    .bind(id)
    .bind(to)
    .bind(subject)
    .bind(body)
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn delete(tx: &mut TenantTx, id: Uuid) -> Result<(), DbError> {
    let gone = query("-- analytics.alerts.delete\nDELETE FROM analytics.alerts WHERE id = $1");
    gone.bind(id).execute(tx.conn()).await?;
    Ok(())
}

/// Takes alerts that are due, of all tenants.
pub(super) async fn due(
    db: &Db,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    max: i32,
) -> Result<Vec<(TenantId, Uuid)>, DbError> {
    let due = query_as(
        "-- analytics.alerts.due\nSELECT tenant_id, id FROM analytics.alerts_due($1, $2, $3)",
    );
    db.due(due.bind(now).bind(lease).bind(max)).await
}
