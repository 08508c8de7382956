//! SQL of reports.

use bz_kernel::TenantId;
use bz_tenant::{Db, DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, query, query_as, query_scalar, types::Json};
use uuid::Uuid;

use super::{
    Failure,
    resource::{Format, Plan, Report, ReportFile, ReportStatus},
};

/// A report as it stands in the table, without its numbers.
#[derive(Debug, Clone, FromRow)]
pub(super) struct ReportRow {
    pub(super) id: Uuid,
    pub(super) title: String,
    status: String,
    pub(super) plan: Json<Plan>,
    formats: Vec<String>,
    data_version: Option<i64>,
    as_of: Option<DateTime<Utc>>,
    error: Option<Json<Failure>>,
    pub(super) schedule_id: Option<Uuid>,
    scheduled_for: Option<DateTime<Utc>>,
    pub(super) claims: i64,
    pub(super) attempts: i32,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    expires_at: DateTime<Utc>,
    version: i64,
}

const COLUMNS: &str = "id, title, status, plan, formats, data_version, as_of, error, schedule_id, scheduled_for, claims, attempts, \
     created_by, created_at, finished_at, expires_at, version";

/// What is known of a file without reading it.
#[derive(Debug, Clone, FromRow)]
pub(super) struct FileRow {
    pub(super) report_id: Uuid,
    format: String,
    pub(super) size: i64,
    pub(super) sha256: String,
    missing_glyphs: Vec<String>,
    pub(super) error: Option<Json<Failure>>,
}

impl ReportRow {
    pub(super) fn status(&self) -> ReportStatus {
        ReportStatus::named(&self.status).unwrap_or(ReportStatus::Failed)
    }

    pub(super) fn formats(&self) -> Vec<Format> {
        self.formats
            .iter()
            .filter_map(|name| Format::named(name))
            .collect()
    }

    /// The report as clients see it, with its files.
    pub(super) fn shown(self, files: &[FileRow]) -> Report {
        let formats = self.formats();
        let mut files: Vec<ReportFile> = files
            .iter()
            .filter(|file| file.report_id == self.id)
            .filter_map(FileRow::shown)
            .collect();
        files.sort_by_key(|file| formats.iter().position(|format| *format == file.format));
        let percent = 100 * files.len() / formats.len().max(1);
        Report {
            id: self.id,
            status: self.status(),
            percent: u8::try_from(percent).unwrap_or(100),
            title: self.title,
            formats,
            files,
            data_version: self.data_version,
            as_of: self.as_of,
            error: self.error.map(|error| error.0),
            schedule_id: self.schedule_id,
            scheduled_for: self.scheduled_for,
            created_by: self.created_by.into(),
            created_at: self.created_at,
            finished_at: self.finished_at,
            expires_at: self.expires_at,
            version: self.version,
        }
    }
}

impl FileRow {
    pub(super) fn format(&self) -> Option<Format> {
        Format::named(&self.format)
    }

    fn shown(&self) -> Option<ReportFile> {
        let (id, name) = (self.report_id, &self.format);
        Some(ReportFile {
            format: self.format()?,
            size: self.size,
            sha256: self.sha256.clone(),
            download: self
                .error
                .is_none()
                .then(|| format!("/api/reports/{id}/download?format={name}")),
            missing_glyphs: self.missing_glyphs.clone(),
            error: self.error.as_ref().map(|error| error.0.clone()),
        })
    }
}

/// What is ordered.
pub(super) struct NewReport<'a> {
    pub(super) id: Uuid,
    pub(super) title: &'a str,
    pub(super) plan: &'a Plan,
    pub(super) formats: &'a [Format],
    pub(super) schedule: Option<(Uuid, DateTime<Utc>)>,
    pub(super) by: Uuid,
    pub(super) at: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
}

/// Orders a report; none when its schedule has one for that time.
pub(super) async fn insert(
    tx: &mut TenantTx,
    new: &NewReport<'_>,
) -> Result<Option<ReportRow>, DbError> {
    let sql = format!(
        "-- analytics.reports.insert\n\
         INSERT INTO analytics.reports \
           (id, title, status, plan, formats, schedule_id, scheduled_for, due_at, created_by, created_at, expires_at) \
         VALUES ($1, $2, 'queued', $3, $4, $5, $6, $7, $8, $7, $9) \
         ON CONFLICT (tenant_id, schedule_id, scheduled_for) WHERE schedule_id IS NOT NULL DO NOTHING RETURNING {COLUMNS}"
    );
    let formats: Vec<&str> = new.formats.iter().map(|format| format.as_str()).collect();
    let row = query_as(&sql)
        .bind(new.id)
        .bind(new.title)
        .bind(Json(new.plan))
        .bind(formats)
        .bind(new.schedule.map(|(id, _)| id))
        .bind(new.schedule.map(|(_, at)| at))
        .bind(new.at)
        .bind(new.by)
        .bind(new.expires_at);
    Ok(row.fetch_optional(tx.conn()).await?)
}

/// A report with this plan that is not done.
pub(super) async fn open(tx: &mut TenantTx, plan: &Plan) -> Result<Option<ReportRow>, DbError> {
    let sql = format!(
        "-- analytics.reports.open\n\
         SELECT {COLUMNS} FROM analytics.reports WHERE status IN ('queued', 'running') AND plan = $1 ORDER BY id LIMIT 1"
    );
    let row = query_as(&sql).bind(Json(plan));
    Ok(row.fetch_optional(tx.conn()).await?)
}

pub(super) async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<ReportRow>, DbError> {
    let sql =
        format!("-- analytics.reports.find\nSELECT {COLUMNS} FROM analytics.reports WHERE id = $1");
    Ok(query_as(&sql).bind(id).fetch_optional(tx.conn()).await?)
}

/// Reports from `after` on, the newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<ReportRow>, DbError> {
    let sql = format!(
        "-- analytics.reports.list\n\
         SELECT {COLUMNS} FROM analytics.reports WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2"
    );
    Ok(query_as(&sql)
        .bind(after)
        .bind(limit)
        .fetch_all(tx.conn())
        .await?)
}

pub(super) async fn files(tx: &mut TenantTx, reports: &[Uuid]) -> Result<Vec<FileRow>, DbError> {
    let sql = "-- analytics.report_files.of\n\
               SELECT report_id, format, size, sha256, missing_glyphs, error FROM analytics.report_files \
               WHERE report_id = ANY ($1)";
    Ok(query_as(sql).bind(reports).fetch_all(tx.conn()).await?)
}

/// A piece of a file.
pub(super) async fn piece(
    tx: &mut TenantTx,
    report: Uuid,
    format: Format,
    from: i64,
    length: i32,
) -> Result<Option<Vec<u8>>, DbError> {
    let sql = "-- analytics.report_files.piece\n\
               SELECT substring(content FROM $3 FOR $4) FROM analytics.report_files WHERE report_id = $1 AND format = $2";
    let start = i32::try_from(from + 1).unwrap_or(i32::MAX);
    let piece = query_scalar(sql)
        .bind(report)
        .bind(format.as_str())
        .bind(start)
        .bind(length);
    Ok(piece.fetch_optional(tx.conn()).await?)
}

/// What a report of a dashboard needs of it.
pub(super) async fn dashboard(
    tx: &mut TenantTx,
    id: Uuid,
) -> Result<Option<(String, Value, Value)>, DbError> {
    let sql = "-- analytics.dashboards.of_report\nSELECT name, view, tiles FROM analytics.dashboards WHERE id = $1";
    Ok(query_as(sql).bind(id).fetch_optional(tx.conn()).await?)
}

/// Takes reports that are due, of all tenants.
pub(super) async fn due(
    db: &Db,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    max: usize,
) -> Result<Vec<(TenantId, Uuid)>, DbError> {
    let sql =
        "-- analytics.reports.due\nSELECT tenant_id, id FROM analytics.reports_due($1, $2, $3)";
    taken(db, sql, now, lease, max).await
}

/// Takes mails that are due, of all tenants.
pub(super) async fn mails_due(
    db: &Db,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    max: usize,
) -> Result<Vec<(TenantId, Uuid)>, DbError> {
    let sql = "-- analytics.mails.due\nSELECT tenant_id, id FROM analytics.mails_due($1, $2, $3)";
    taken(db, sql, now, lease, max).await
}

async fn taken(
    db: &Db,
    sql: &str,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    max: usize,
) -> Result<Vec<(TenantId, Uuid)>, DbError> {
    let max = i32::try_from(max).unwrap_or(i32::MAX);
    db.due(query_as(sql).bind(now).bind(lease).bind(max)).await
}

/// The numbers of a report, once they are read.
pub(super) async fn document(tx: &mut TenantTx, id: Uuid) -> Result<Option<Vec<u8>>, DbError> {
    let sql = "-- analytics.reports.document\nSELECT document FROM analytics.reports WHERE id = $1";
    let found: Option<Option<Vec<u8>>> =
        query_scalar(sql).bind(id).fetch_optional(tx.conn()).await?;
    Ok(found.flatten())
}

/// Keeps the numbers of a report; false when somebody else works on it now.
pub(super) async fn keep_document(
    tx: &mut TenantTx,
    (id, claims): (Uuid, i64),
    document: &[u8],
    (data_version, as_of): (i64, DateTime<Utc>),
) -> Result<bool, DbError> {
    let done = query(
        "-- analytics.reports.keep_document\n\
         UPDATE analytics.reports SET document = $3, data_version = $4, as_of = $5, version = version + 1 \
         WHERE id = $1 AND claims = $2 AND status = 'running'",
    )
    .bind(id)
    .bind(claims)
    .bind(document)
    .bind(data_version)
    .bind(as_of);
    Ok(done.execute(tx.conn()).await?.rows_affected() == 1)
}

/// A file to keep, or why there is none.
pub(super) struct NewFile<'a> {
    pub(super) format: Format,
    pub(super) content: &'a [u8],
    pub(super) sha256: &'a str,
    pub(super) missing_glyphs: &'a [String],
    pub(super) error: Option<&'a Failure>,
}

/// Keeps a file; nothing when somebody else works on the report now.
pub(super) async fn keep_file(
    tx: &mut TenantTx,
    (id, claims): (Uuid, i64),
    file: &NewFile<'_>,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- analytics.report_files.keep\n\
         INSERT INTO analytics.report_files (report_id, format, content, size, sha256, missing_glyphs, error, made_at) \
         SELECT r.id, $3, $4, $5, $6, $7, $8, $9 FROM analytics.reports AS r \
         WHERE r.id = $1 AND r.claims = $2 AND r.status = 'running' \
         ON CONFLICT ON CONSTRAINT report_files_pkey DO NOTHING",
    )
    .bind(id)
    .bind(claims)
    .bind(file.format.as_str())
    .bind(file.content)
    .bind(i64::try_from(file.content.len()).unwrap_or(i64::MAX))
    .bind(file.sha256)
    .bind(file.missing_glyphs)
    .bind(file.error.map(Json))
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Keeps a report for its worker a while longer, or lets others have it.
pub(super) async fn lease(
    tx: &mut TenantTx,
    (id, claims): (Uuid, i64),
    due_at: DateTime<Utc>,
) -> Result<(), DbError> {
    query("-- analytics.reports.lease\nUPDATE analytics.reports SET due_at = $3 WHERE id = $1 AND claims = $2 AND status = 'running'")
        .bind(id)
        .bind(claims)
        .bind(due_at)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Ends a report; false when somebody else works on it now.
pub(super) async fn finish(
    tx: &mut TenantTx,
    (id, claims): (Uuid, i64),
    status: ReportStatus,
    error: Option<&Failure>,
    at: DateTime<Utc>,
) -> Result<bool, DbError> {
    let done = query(
        "-- analytics.reports.finish\n\
         UPDATE analytics.reports SET status = $3, error = $4, finished_at = $5, version = version + 1 \
         WHERE id = $1 AND claims = $2 AND status = 'running'",
    )
    .bind(id)
    .bind(claims)
    .bind(status.as_str())
    .bind(error.map(Json))
    .bind(at);
    Ok(done.execute(tx.conn()).await?.rows_affected() == 1)
}

/// Ends what has served its time, in all tenants.
pub(super) async fn expire(
    db: &Db,
    now: DateTime<Utc>,
    before: DateTime<Utc>,
    batch: i32,
) -> Result<i64, DbError> {
    let mut tx = db.system().await?;
    let count =
        query_scalar("-- analytics.reports.expire\nSELECT analytics.expire_reports($1, $2, $3)")
            .bind(now)
            .bind(before)
            .bind(batch)
            .fetch_one(tx.conn())
            .await?;
    tx.commit().await?;
    Ok(count)
}

/// Deletes mails that ended before an instant, in all tenants.
pub(super) async fn purge_mails(
    db: &Db,
    before: DateTime<Utc>,
    batch: i32,
) -> Result<i64, DbError> {
    let mut tx = db.system().await?;
    let count = query_scalar("-- analytics.mails.purge\nSELECT analytics.purge_mails($1, $2)")
        .bind(before)
        .bind(batch)
        .fetch_one(tx.conn())
        .await?;
    tx.commit().await?;
    Ok(count)
}
