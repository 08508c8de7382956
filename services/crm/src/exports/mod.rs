//! Exports: records as a file. An export is what was ordered (a job that is over at once); the file is made from the
//! database while it is fetched, page by page, as the caller sees the records, so that nothing has to be kept and a
//! download that broke off is simply asked for again.

mod content;
mod encode;
mod get;
mod table;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bz_auth::Caller;
use bz_http::{Errors, IdempotencyKey, Json, Problem, Routes, Validate, routes};
use bz_kernel::UserId;
use bz_tenant::TenantTx;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::query_as;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    app::AppState,
    jobs::{self, JobId, JobStatus, store::JobRow},
    records::{
        Record, RecordType, custom,
        filter::{Context, Filter},
    },
};

bz_auth::permissions! {
    /// Fetch one's exports.
    ExportsRead = "exports:read",
}

/// The kind of its job.
const EXPORT: &str = "export";

/// The routes of this resource; those that order an export are the types' own.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(get::get_export))
        .routes(routes!(content::get_export_content))
}

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// Comma-separated values in UTF-8, safe to open in a spreadsheet.
    #[default]
    Csv,
    /// One JSON object per line.
    Ndjson,
    /// A spreadsheet (Office Open XML).
    Xlsx,
}

/// What to export.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateExport {
    /// Which records; all when neither this nor `view_id` is given.
    pub filter: Option<Filter>,
    /// A saved view: its filter, and its columns unless others are given.
    pub view_id: Option<Uuid>,
    /// The fields, in this order, at most 300; all when not given. A field of the tenant's own is `custom.<key>`.
    #[schema(max_items = 300)]
    pub columns: Option<Vec<String>>,
    /// The form of the file.
    #[serde(default)]
    pub format: Format,
}

impl Validate for CreateExport {
    fn validate(&self, errors: &mut Errors) {
        if self.filter.is_some() && self.view_id.is_some() {
            errors.add(
                "/view_id",
                "conflict",
                "must not be given together with filter",
            );
        }
        let columns = self.columns.as_deref().unwrap_or_default();
        if self.columns.is_some() && !(1..=300).contains(&columns.len()) {
            errors.add("/columns", "invalid_count", "must be 1 to 300 fields");
        }
        for (n, name) in columns.iter().enumerate() {
            if columns[..n].contains(name) {
                errors.add(format!("/columns/{n}"), "repeated", "is there already");
            }
        }
    }
}

/// What is exported, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Plan {
    filter: Filter,
    columns: Option<Vec<String>>,
    format: Format,
}

/// An export.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Export {
    /// Its id.
    pub id: JobId,
    /// The type of the records.
    pub record_type: String,
    /// How it is doing; it has succeeded as soon as it is ordered.
    pub status: JobStatus,
    /// The form of the file.
    pub format: Format,
    /// Where the file is. It has the records that are there, and that the caller sees, when it is fetched.
    pub content: String,
    /// Who ordered it.
    pub created_by: UserId,
    /// When it was ordered.
    pub created_at: DateTime<Utc>,
}

fn shown(row: &JobRow) -> Result<Export, Problem> {
    let plan = plan(row)?;
    Ok(Export {
        id: row.id.into(),
        record_type: row.record_type.clone().unwrap_or_default(),
        status: row.status,
        format: plan.format,
        content: format!("/api/exports/{}/content", row.id),
        created_by: row.created_by.into(),
        created_at: row.created_at,
    })
}

fn plan(row: &JobRow) -> Result<Plan, Problem> {
    serde_json::from_value(row.params.clone()).map_err(Problem::internal)
}

/// An export that the caller may see.
async fn visible(tx: &mut TenantTx, caller: &Caller, id: JobId) -> Result<JobRow, Problem> {
    let row = jobs::visible(tx, caller, id).await?;
    if row.kind == EXPORT {
        Ok(row)
    } else {
        Err(Problem::not_found())
    }
}

/// Orders an export.
pub(crate) async fn order<R: Record>(
    app: &AppState,
    caller: &Caller,
    key: &IdempotencyKey,
    wanted: CreateExport,
) -> Result<Response, Problem> {
    let (core, sent) = (&app.core, wanted.clone());
    let ordered = bz_http::idempotent(
        (&core.db, &core.sources.clock),
        &caller.scope,
        key,
        "export.ordered",
        &(R::TYPE.name, &sent),
        async |tx| {
            let plan = checked(app, tx, caller, R::TYPE, wanted).await?;
            let order = jobs::Order {
                kind: EXPORT,
                record_type: R::TYPE.name,
                params: serde_json::to_value(plan).map_err(Problem::internal)?,
                total: None,
                status: JobStatus::Preparing,
            };
            let mut row = jobs::order(app, tx, caller.user, order).await?;
            row.status = JobStatus::Succeeded;
            let now = core.sources.now();
            jobs::store::save(tx, &row, now, now).await?;
            shown(&row)
        },
    )
    .await?;
    let location = format!("/api/exports/{}", ordered.value.id);
    Ok((
        StatusCode::ACCEPTED,
        [(header::LOCATION, location)],
        Json(ordered.value),
    )
        .into_response())
}

/// The plan, when filter and columns are such of the type.
async fn checked(
    app: &AppState,
    tx: &mut TenantTx,
    caller: &Caller,
    record: &'static RecordType,
    wanted: CreateExport,
) -> Result<Plan, Problem> {
    let (mut filter, mut columns) = (wanted.filter, wanted.columns);
    if let Some(view) = wanted.view_id {
        let (of_view, shown) = self::view(tx, caller, record, view).await?;
        filter = of_view;
        columns = columns.or((!shown.is_empty()).then_some(shown));
    }
    let filter = filter.unwrap_or(Filter::everything());
    let custom = custom::definitions(app, tx).await?;
    filter.check(Context {
        record,
        custom: &custom,
        me: caller.user,
    })?;
    let mut errors = Errors::default();
    for (n, name) in columns.iter().flatten().enumerate() {
        if table::column(name, record, &custom).is_none() {
            let text = format!("is no field of {}", record.plural);
            errors.add(format!("/columns/{n}"), "unknown_field", text);
        }
    }
    if errors.is_empty() {
        Ok(Plan {
            filter,
            columns,
            format: wanted.format,
        })
    } else {
        Err(Problem::validation(errors))
    }
}

/// The filter and the columns of a view that the caller may use.
async fn view(
    tx: &mut TenantTx,
    caller: &Caller,
    record: &RecordType,
    id: Uuid,
) -> Result<(Option<Filter>, Vec<String>), Problem> {
    let sql = "-- crm.views.of_export\n\
               SELECT filter, columns FROM crm.views WHERE id = $1 AND record_type = $2 AND (shared OR created_by = $3)";
    let found: Option<(Option<Value>, Vec<String>)> = query_as(sql)
        .bind(id)
        .bind(record.name)
        .bind(caller.user.as_uuid())
        .fetch_optional(tx.conn())
        .await
        .map_err(bz_tenant::DbError::from)?;
    let Some((filter, columns)) = found else {
        return Err(Problem::invalid(
            "/view_id",
            "unknown_view",
            "is no view of these records that you may use",
        ));
    };
    let filter = filter
        .map(serde_json::from_value)
        .transpose()
        .map_err(Problem::internal)?;
    Ok((filter, columns))
}
