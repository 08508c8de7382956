//! SQL of schedules.

use bz_kernel::TenantId;
use bz_tenant::{Db, DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, types::Json};
use uuid::Uuid;

use super::{CreateReportSchedule, ReportSchedule, times};
use crate::reports::{CreateReport, Failure};

/// The times that are shown.
const SHOWN: usize = 3;

#[derive(FromRow)]
struct ScheduleRow {
    id: Uuid,
    name: String,
    cron: String,
    timezone: String,
    report: Json<CreateReport>,
    enabled: bool,
    next_run_at: DateTime<Utc>,
    last_run_at: Option<DateTime<Utc>>,
    last_report_id: Option<Uuid>,
    error: Option<Json<Failure>>,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

const COLUMNS: &str = "id, name, cron, timezone, report, enabled, next_run_at, last_run_at, last_report_id, error, created_by, \
     created_at, updated_at, version";

impl From<ScheduleRow> for ReportSchedule {
    fn from(row: ScheduleRow) -> Self {
        let later = |count| times::next(&row.cron, &row.timezone, row.next_run_at, count);
        let next_runs = if row.enabled {
            [row.next_run_at]
                .into_iter()
                .chain(later(SHOWN - 1))
                .collect()
        } else {
            Vec::new()
        };
        Self {
            id: row.id,
            name: row.name,
            report: row.report.0,
            enabled: row.enabled,
            next_runs,
            last_run_at: row.last_run_at,
            last_report_id: row.last_report_id,
            error: row.error.map(|error| error.0),
            created_by: row.created_by.into(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
            cron: row.cron,
            timezone: row.timezone,
        }
    }
}

/// How many schedules the tenant has.
pub(super) async fn count(tx: &mut TenantTx) -> Result<i64, DbError> {
    let count = sqlx::query_scalar(
        "-- analytics.report_schedules.count\nSELECT count(*) FROM analytics.report_schedules",
    );
    Ok(count.fetch_one(tx.conn()).await?)
}

pub(super) async fn insert(
    tx: &mut TenantTx,
    id: Uuid,
    (by, now): (Uuid, DateTime<Utc>),
    new: &CreateReportSchedule,
    next_run_at: DateTime<Utc>,
) -> Result<ReportSchedule, DbError> {
    let sql = format!(
        "-- analytics.report_schedules.insert\n\
         INSERT INTO analytics.report_schedules \
           (id, name, cron, timezone, report, enabled, next_run_at, created_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) RETURNING {COLUMNS}"
    );
    let row: ScheduleRow = query_as(&sql)
        .bind(id)
        .bind(new.name.trim())
        .bind(&new.cron)
        .bind(&new.timezone)
        .bind(Json(&new.report))
        .bind(new.enabled)
        .bind(next_run_at)
        .bind(by)
        .bind(now)
        .fetch_one(tx.conn())
        .await?;
    Ok(row.into())
}

pub(super) async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<ReportSchedule>, DbError> {
    one(tx, id, "").await
}

pub(super) async fn find_for_update(
    tx: &mut TenantTx,
    id: Uuid,
) -> Result<Option<ReportSchedule>, DbError> {
    one(tx, id, "FOR UPDATE").await
}

async fn one(tx: &mut TenantTx, id: Uuid, lock: &str) -> Result<Option<ReportSchedule>, DbError> {
    let sql = format!(
        "-- analytics.report_schedules.find\nSELECT {COLUMNS} FROM analytics.report_schedules WHERE id = $1 {lock}"
    );
    let row: Option<ScheduleRow> = query_as(&sql).bind(id).fetch_optional(tx.conn()).await?;
    Ok(row.map(Into::into))
}

/// A schedule whose time has come, locked; none when another process is at it, or was.
pub(super) async fn take_due(
    tx: &mut TenantTx,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<(ReportSchedule, DateTime<Utc>)>, DbError> {
    let sql = format!(
        "-- analytics.report_schedules.take_due\n\
         SELECT {COLUMNS} FROM analytics.report_schedules WHERE id = $1 AND enabled AND next_run_at <= $2 \
         FOR UPDATE SKIP LOCKED"
    );
    let row: Option<ScheduleRow> = query_as(&sql)
        .bind(id)
        .bind(now)
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(|row| {
        let at = row.next_run_at;
        (row.into(), at)
    }))
}

/// Schedules from `after` on, the newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<ReportSchedule>, DbError> {
    let sql = format!(
        "-- analytics.report_schedules.list\n\
         SELECT {COLUMNS} FROM analytics.report_schedules WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2"
    );
    let rows: Vec<ScheduleRow> = query_as(&sql)
        .bind(after)
        .bind(limit)
        .fetch_all(tx.conn())
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

pub(super) async fn update(
    tx: &mut TenantTx,
    wanted: &ReportSchedule,
    next_run_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<ReportSchedule, DbError> {
    let sql = format!(
        "-- analytics.report_schedules.update\n\
         UPDATE analytics.report_schedules SET name = $2, cron = $3, timezone = $4, report = $5, enabled = $6, next_run_at = $7, \
           updated_at = $8, version = version + 1 WHERE id = $1 RETURNING {COLUMNS}"
    );
    let row: ScheduleRow = query_as(&sql)
        .bind(wanted.id)
        .bind(wanted.name.trim())
        .bind(&wanted.cron)
        .bind(&wanted.timezone)
        .bind(Json(&wanted.report))
        .bind(wanted.enabled)
        .bind(next_run_at)
        .bind(now)
        .fetch_one(tx.conn())
        .await?;
    Ok(row.into())
}

/// What became of a run, and when the next one is; without a next one the schedule runs no more.
pub(super) async fn ran(
    tx: &mut TenantTx,
    id: Uuid,
    now: DateTime<Utc>,
    next: Option<DateTime<Utc>>,
    outcome: Result<Uuid, &Failure>,
) -> Result<(), DbError> {
    query(
        "-- analytics.report_schedules.ran\n\
         UPDATE analytics.report_schedules SET last_run_at = $2, next_run_at = coalesce($3, next_run_at), \
           enabled = enabled AND $3::timestamptz IS NOT NULL, last_report_id = coalesce($4, last_report_id), error = $5 \
         WHERE id = $1",
    )
    .bind(id)
    .bind(now)
    .bind(next)
    .bind(outcome.ok())
    .bind(outcome.err().map(Json))
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn delete(tx: &mut TenantTx, id: Uuid) -> Result<(), DbError> {
    let gone = query(
        "-- analytics.report_schedules.delete\nDELETE FROM analytics.report_schedules WHERE id = $1",
    );
    gone.bind(id).execute(tx.conn()).await?;
    Ok(())
}

/// Schedules of all tenants whose time has come.
pub(super) async fn due(
    db: &Db,
    now: DateTime<Utc>,
    max: i32,
) -> Result<Vec<(TenantId, Uuid)>, DbError> {
    let due = query_as(
        "-- analytics.report_schedules.due\nSELECT tenant_id, id FROM analytics.report_schedules_due($1, $2)",
    );
    db.due(due.bind(now).bind(max)).await
}
