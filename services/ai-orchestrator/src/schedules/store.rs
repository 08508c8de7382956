//! SQL of schedules.

use bz_kernel::{RunId, TenantId, UserId};
use bz_tenant::{Db, DbError, TenantScope, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, types::Json};
use uuid::Uuid;

use super::{Misfire, Overlap, Schedule, ScheduleId, WantedSchedule};
use crate::runs::{CreateRun, RunError};

#[derive(FromRow)]
struct ScheduleRow {
    id: Uuid,
    name: String,
    cron: String,
    timezone: String,
    order_of_run: Json<CreateRun>,
    overlap: String,
    misfire: String,
    enabled: bool,
    next_run_at: DateTime<Utc>,
    last_run_at: Option<DateTime<Utc>>,
    last_run_id: Option<Uuid>,
    last_outcome: Option<String>,
    error: Option<Json<RunError>>,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

const COLUMNS: &str = "id, name, cron, timezone, order_of_run, overlap, misfire, enabled, next_run_at, last_run_at, last_run_id, \
     last_outcome, error, created_by, created_at, updated_at, version";

impl From<ScheduleRow> for Schedule {
    fn from(row: ScheduleRow) -> Self {
        Self {
            id: ScheduleId::from_uuid(row.id),
            name: row.name,
            cron: row.cron,
            timezone: row.timezone,
            run: row.order_of_run.0,
            overlap: match row.overlap.as_str() {
                "queue" => Overlap::Queue,
                "cancel" => Overlap::Cancel,
                _ => Overlap::Skip,
            },
            misfire: match row.misfire.as_str() {
                "skip" => Misfire::Skip,
                _ => Misfire::RunOnce,
            },
            enabled: row.enabled,
            next_run_at: row.enabled.then_some(row.next_run_at),
            last_run_at: row.last_run_at,
            last_run_id: row.last_run_id.map(RunId::from_uuid),
            last_outcome: row.last_outcome,
            error: row.error.map(|error| error.0),
            created_by: UserId::from_uuid(row.created_by),
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

const fn overlap(overlap: Overlap) -> &'static str {
    match overlap {
        Overlap::Skip => "skip",
        Overlap::Queue => "queue",
        Overlap::Cancel => "cancel",
    }
}

const fn misfire(misfire: Misfire) -> &'static str {
    match misfire {
        Misfire::RunOnce => "run_once",
        Misfire::Skip => "skip",
    }
}

/// How many schedules the tenant has.
pub(super) async fn count(tx: &mut TenantTx) -> Result<i64, DbError> {
    let count = sqlx::query_scalar("-- ai.schedules.count\nSELECT count(*) FROM ai.schedules");
    Ok(count.fetch_one(tx.conn()).await?)
}

pub(super) async fn insert(
    tx: &mut TenantTx,
    id: ScheduleId,
    (by, now): (UserId, DateTime<Utc>),
    new: &WantedSchedule,
    (next, credential): (DateTime<Utc>, Vec<u8>),
) -> Result<Schedule, DbError> {
    let sql = format!(
        "-- ai.schedules.insert\n\
         INSERT INTO ai.schedules (id, name, cron, timezone, order_of_run, overlap, misfire, enabled, next_run_at, credential, \
           created_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12) RETURNING {COLUMNS}"
    );
    let row: ScheduleRow = query_as(&sql)
        .bind(id.as_uuid())
        .bind(new.name.trim())
        .bind(&new.cron)
        .bind(&new.timezone)
        .bind(Json(&new.run))
        .bind(overlap(new.overlap))
        .bind(misfire(new.misfire))
        .bind(new.enabled)
        .bind(next)
        .bind(credential)
        .bind(by.as_uuid())
        .bind(now)
        .fetch_one(tx.conn())
        .await?;
    Ok(row.into())
}

pub(super) async fn find(
    tx: &mut TenantTx,
    id: ScheduleId,
    lock: bool,
) -> Result<Option<Schedule>, DbError> {
    let lock = if lock { "FOR UPDATE" } else { "" };
    let sql =
        format!("-- ai.schedules.find\nSELECT {COLUMNS} FROM ai.schedules WHERE id = $1 {lock}");
    let row: Option<ScheduleRow> = query_as(&sql)
        .bind(id.as_uuid())
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(Into::into))
}

/// Schedules behind one, newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    after: Option<ScheduleId>,
    limit: i64,
) -> Result<Vec<Schedule>, DbError> {
    let sql = format!(
        "-- ai.schedules.list\n\
         SELECT {COLUMNS} FROM ai.schedules WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2"
    );
    let rows: Vec<ScheduleRow> = query_as(&sql)
        .bind(after.map(ScheduleId::as_uuid))
        .bind(limit)
        .fetch_all(tx.conn())
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

pub(super) async fn update(
    tx: &mut TenantTx,
    id: ScheduleId,
    now: DateTime<Utc>,
    wanted: &WantedSchedule,
    (next, credential): (DateTime<Utc>, Option<Vec<u8>>),
) -> Result<Schedule, DbError> {
    let sql = format!(
        "-- ai.schedules.update\n\
         UPDATE ai.schedules SET name = $2, cron = $3, timezone = $4, order_of_run = $5, overlap = $6, misfire = $7, \
           enabled = $8, next_run_at = $9, credential = coalesce($10, credential), updated_at = $11, version = version + 1 \
         WHERE id = $1 RETURNING {COLUMNS}"
    );
    let row: ScheduleRow = query_as(&sql)
        .bind(id.as_uuid())
        .bind(wanted.name.trim())
        .bind(&wanted.cron)
        .bind(&wanted.timezone)
        .bind(Json(&wanted.run))
        .bind(overlap(wanted.overlap))
        .bind(misfire(wanted.misfire))
        .bind(wanted.enabled)
        .bind(next)
        .bind(credential)
        .bind(now)
        .fetch_one(tx.conn())
        .await?;
    Ok(row.into())
}

pub(super) async fn delete(tx: &mut TenantTx, id: ScheduleId) -> Result<(), DbError> {
    let gone = query("-- ai.schedules.delete\nDELETE FROM ai.schedules WHERE id = $1");
    gone.bind(id.as_uuid()).execute(tx.conn()).await?;
    Ok(())
}

/// A schedule whose time has come, locked; none when another process is at it, or was.
pub(super) async fn take_due(
    tx: &mut TenantTx,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Schedule>, DbError> {
    let sql = format!(
        "-- ai.schedules.take_due\n\
         SELECT {COLUMNS} FROM ai.schedules WHERE id = $1 AND enabled AND next_run_at <= $2 FOR UPDATE SKIP LOCKED"
    );
    let row: Option<ScheduleRow> = query_as(&sql)
        .bind(id)
        .bind(now)
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(Into::into))
}

/// The sealed API key of a schedule, and whose it is.
pub(super) async fn credential(
    db: &Db,
    scope: &TenantScope,
    id: Uuid,
) -> Result<Option<(Vec<u8>, UserId)>, DbError> {
    let mut tx = db.read(scope).await?;
    let row: Option<(Option<Vec<u8>>, Uuid)> = query_as(
        "-- ai.schedules.credential\nSELECT credential, created_by FROM ai.schedules WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|(sealed, user)| (sealed.unwrap_or_default(), UserId::from_uuid(user))))
}

/// What became of a time, and when the next one is; without a next one the schedule runs no more.
pub(super) async fn passed(
    tx: &mut TenantTx,
    id: ScheduleId,
    (now, next): (DateTime<Utc>, Option<DateTime<Utc>>),
    outcome: &str,
    made: Result<Option<RunId>, &RunError>,
) -> Result<(), DbError> {
    query(
        "-- ai.schedules.passed\n\
         UPDATE ai.schedules SET last_run_at = $2, next_run_at = coalesce($3, next_run_at), \
           enabled = enabled AND $3::timestamptz IS NOT NULL, last_outcome = $4, last_run_id = coalesce($5, last_run_id), \
           error = $6 WHERE id = $1",
    )
    .bind(id.as_uuid())
    .bind(now)
    .bind(next)
    .bind(outcome)
    .bind(made.ok().flatten().map(RunId::as_uuid))
    .bind(made.err().map(Json))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Schedules of all tenants whose time has come.
pub(super) async fn due(
    db: &Db,
    now: DateTime<Utc>,
    most: i32,
) -> Result<Vec<(TenantId, Uuid)>, DbError> {
    let due = query_as("-- ai.schedules.due\nSELECT tenant_id, id FROM ai.schedules_due($1, $2)");
    db.due(due.bind(now).bind(most)).await
}
