//! SQL of capture forms. Row-level security confines every statement to the tenant of the transaction; only the tenant of an
//! exact key is found across tenants, by a function.

use bz_http::Problem;
use bz_kernel::TenantId;
use bz_tenant::{DbError, OnConstraint, SystemTx, TenantTx};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::{FromRow, query, query_as, types::Json};
use uuid::Uuid;

use super::{CaptureForm, CaptureFormId, FormSettings, WantedForm};
use crate::problems;

const COLUMNS: &str =
    "id, key, name, enabled, settings, created_by, created_at, updated_at, version";

#[derive(FromRow)]
struct Row {
    id: Uuid,
    key: String,
    name: String,
    enabled: bool,
    settings: Json<FormSettings>,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

impl From<Row> for CaptureForm {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            key: row.key,
            name: row.name,
            enabled: row.enabled,
            settings: row.settings.0,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// The tenant and the id of the form that has a key.
#[expect(
    clippy::disallowed_methods,
    reason = "the tenant of a row that has the exact random key"
)]
pub(super) async fn of_key(
    tx: &mut SystemTx,
    key: &str,
) -> Result<Option<(TenantId, CaptureFormId)>, DbError> {
    let found: Option<(Uuid, Uuid)> = query_as(
        "-- crm.capture_forms.of_key\nSELECT tenant_id, id FROM crm.capture_form_of_key($1)",
    )
    .bind(key)
    .fetch_optional(tx.conn())
    .await?;
    Ok(found.map(|(tenant, id)| (TenantId::trusted(tenant), id.into())))
}

/// All forms, the newest first.
pub(super) async fn all(tx: &mut TenantTx) -> Result<Vec<CaptureForm>, DbError> {
    let rows: Vec<Row> = query_as(&format!(
        "-- crm.capture_forms.all\nSELECT {COLUMNS} FROM crm.capture_forms ORDER BY id DESC"
    ))
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(CaptureForm::from).collect())
}

/// One form and who made it.
pub(super) async fn find(
    tx: &mut TenantTx,
    id: CaptureFormId,
) -> Result<Option<(CaptureForm, Uuid)>, DbError> {
    let row: Option<Row> = query_as(&format!(
        "-- crm.capture_forms.find\nSELECT {COLUMNS} FROM crm.capture_forms WHERE id = $1"
    ))
    .bind(id.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| {
        let maker = row.created_by;
        (row.into(), maker)
    }))
}

/// One form, locked until the transaction ends.
pub(super) async fn find_for_update(
    tx: &mut TenantTx,
    id: CaptureFormId,
) -> Result<Option<CaptureForm>, DbError> {
    let row: Option<Row> = query_as(&format!(
        "-- crm.capture_forms.find_for_update\nSELECT {COLUMNS} FROM crm.capture_forms WHERE id = $1 FOR UPDATE"
    ))
    .bind(id.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(CaptureForm::from))
}

/// Writes a new form.
pub(super) async fn insert(
    tx: &mut TenantTx,
    (id, key, by): (Uuid, &str, Uuid),
    now: DateTime<Utc>,
    wanted: &WantedForm,
) -> Result<CaptureForm, Problem> {
    let row: Row = query_as(&format!(
        "-- crm.capture_forms.insert\n\
         INSERT INTO crm.capture_forms (id, key, name, enabled, settings, created_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING {COLUMNS}"
    ))
    .bind(id)
    .bind(key)
    .bind(&wanted.name)
    .bind(wanted.enabled)
    .bind(Json(&wanted.settings))
    .bind(by)
    .bind(now)
    .fetch_one(tx.conn())
    .await
    .on_constraint("capture_forms_name_key", problems::name_taken)?;
    Ok(row.into())
}

/// Writes all of a form that is locked; its key stays.
pub(super) async fn update(
    tx: &mut TenantTx,
    id: CaptureFormId,
    now: DateTime<Utc>,
    wanted: &WantedForm,
) -> Result<CaptureForm, Problem> {
    let row: Row = query_as(&format!(
        "-- crm.capture_forms.update\n\
         UPDATE crm.capture_forms SET name = $2, enabled = $3, settings = $4, updated_at = $5, version = version + 1 \
         WHERE id = $1 RETURNING {COLUMNS}"
    ))
    .bind(id.as_uuid())
    .bind(&wanted.name)
    .bind(wanted.enabled)
    .bind(Json(&wanted.settings))
    .bind(now)
    .fetch_one(tx.conn())
    .await
    .on_constraint("capture_forms_name_key", problems::name_taken)?;
    Ok(row.into())
}

/// Deletes a form that is locked, and what was submitted by it.
pub(super) async fn delete(tx: &mut TenantTx, id: CaptureFormId) -> Result<(), DbError> {
    query("-- crm.capture_forms.delete\nDELETE FROM crm.capture_forms WHERE id = $1")
        .bind(id.as_uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// A submission as it is kept.
pub(super) struct Kept<'a> {
    pub id: Uuid,
    pub form: CaptureFormId,
    /// What makes it the same when it comes again.
    pub submission: &'a str,
    pub email_norm: Option<String>,
    pub fields: &'a Map<String, Value>,
    pub consent: &'a Map<String, Value>,
    pub at: DateTime<Utc>,
}

/// Keeps a submission; false when it came before.
pub(super) async fn keep(tx: &mut TenantTx, kept: &Kept<'_>) -> Result<bool, DbError> {
    let done = query(
        "-- crm.capture_submissions.keep\n\
         INSERT INTO crm.capture_submissions (id, form_id, submission, email_norm, fields, consent, received_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
    )
    .bind(kept.id)
    .bind(kept.form.as_uuid())
    .bind(kept.submission)
    .bind(&kept.email_norm)
    .bind(Json(kept.fields))
    .bind(Json(kept.consent))
    .bind(kept.at)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes down which lead a submission became.
pub(super) async fn became(tx: &mut TenantTx, id: Uuid, lead: Uuid) -> Result<(), DbError> {
    query("-- crm.capture_submissions.became\nUPDATE crm.capture_submissions SET lead_id = $2 WHERE id = $1")
        .bind(id)
        .bind(lead)
        .execute(tx.conn())
        .await?;
    Ok(())
}
