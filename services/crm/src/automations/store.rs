//! SQL of automations. Row-level security confines every statement to the tenant of the transaction.

use bz_auth::Caller;
use bz_http::Problem;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, query, query_as, query_scalar, types::Json};
use uuid::Uuid;

use super::{Action, Automation, CreateAutomation, runs::Run};
use crate::records::filter::Filter;

const COLUMNS: &str = "id, name, record_type, enabled, kinds, changed_fields, filter, actions, disabled_reason, failures, created_by, \
     roles, entitlements, created_at, updated_at, version";

#[derive(FromRow)]
struct Row {
    id: Uuid,
    name: String,
    record_type: String,
    enabled: bool,
    kinds: Vec<String>,
    changed_fields: Vec<String>,
    filter: Option<Json<Filter>>,
    actions: Json<Vec<Action>>,
    disabled_reason: Option<String>,
    failures: i32,
    created_by: Uuid,
    roles: Vec<String>,
    entitlements: Vec<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

impl From<Row> for Automation {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            wanted: CreateAutomation {
                name: row.name,
                record_type: row.record_type,
                enabled: row.enabled,
                when: row.kinds,
                changed_fields: row.changed_fields,
                filter: row.filter.map(|filter| filter.0),
                actions: row.actions.0,
            },
            disabled_reason: row.disabled_reason,
            failures: row.failures,
            created_by: row.created_by.into(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
            roles: row.roles,
            entitlements: row.entitlements,
        }
    }
}

/// 409 for a name that another automation has.
fn named(error: sqlx::Error) -> Problem {
    let taken = error
        .as_database_error()
        .and_then(|error| error.constraint())
        == Some("automations_name_key");
    if taken {
        return Problem::conflict("name_taken", "Another automation has this name.");
    }
    DbError::from(error).into()
}

pub(super) async fn count(tx: &mut TenantTx) -> Result<i64, DbError> {
    let count = query_scalar("-- crm.automations.count\nSELECT count(*) FROM crm.automations");
    Ok(count.fetch_one(tx.conn()).await?)
}

pub(super) async fn insert(
    tx: &mut TenantTx,
    caller: &Caller,
    (id, now): (Uuid, DateTime<Utc>),
    wanted: &CreateAutomation,
) -> Result<Automation, Problem> {
    let sql = format!(
        "-- crm.automations.insert\n\
         INSERT INTO crm.automations (id, name, record_type, enabled, kinds, changed_fields, filter, actions, created_by, \
           roles, entitlements, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12) RETURNING {COLUMNS}"
    );
    let row: Result<Row, _> = query_as(&sql)
        .bind(id)
        .bind(&wanted.name)
        .bind(&wanted.record_type)
        .bind(wanted.enabled)
        .bind(&wanted.when)
        .bind(&wanted.changed_fields)
        .bind(wanted.filter.as_ref().map(Json))
        .bind(Json(&wanted.actions))
        .bind(caller.user.as_uuid())
        .bind(&caller.claims.roles)
        .bind(&caller.claims.entitlements)
        .bind(now)
        .fetch_one(tx.conn())
        .await;
    row.map(Into::into).map_err(named)
}

pub(super) async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<Automation>, DbError> {
    select(tx, id, "").await
}

/// The same, locked until the transaction ends.
pub(super) async fn find_for_update(
    tx: &mut TenantTx,
    id: Uuid,
) -> Result<Option<Automation>, DbError> {
    select(tx, id, " FOR UPDATE").await
}

async fn select(tx: &mut TenantTx, id: Uuid, lock: &str) -> Result<Option<Automation>, DbError> {
    let sql = format!(
        "-- crm.automations.find\nSELECT {COLUMNS} FROM crm.automations WHERE id = $1{lock}"
    );
    let row: Option<Row> = query_as(&sql).bind(id).fetch_optional(tx.conn()).await?;
    Ok(row.map(Into::into))
}

/// One page and one more, newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    before: Option<Uuid>,
    limit: u16,
) -> Result<Vec<Automation>, DbError> {
    let sql = format!(
        "-- crm.automations.list\n\
         SELECT {COLUMNS} FROM crm.automations WHERE ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2"
    );
    let rows: Vec<Row> = query_as(&sql)
        .bind(before)
        .bind(i64::from(limit) + 1)
        .fetch_all(tx.conn())
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Writes all writable fields of an automation that is locked. From now on it acts with what the caller's roles give.
pub(super) async fn update(
    tx: &mut TenantTx,
    caller: &Caller,
    (id, now): (Uuid, DateTime<Utc>),
    wanted: &CreateAutomation,
) -> Result<Automation, Problem> {
    let sql = format!(
        "-- crm.automations.update\n\
         UPDATE crm.automations SET name = $2, record_type = $3, enabled = $4, kinds = $5, changed_fields = $6, filter = $7, \
           actions = $8, created_by = $9, roles = $10, entitlements = $11, updated_at = $12, version = version + 1, \
           failures = 0, disabled_reason = CASE WHEN $4 THEN NULL ELSE disabled_reason END \
         WHERE id = $1 RETURNING {COLUMNS}"
    );
    let row: Result<Row, _> = query_as(&sql)
        .bind(id)
        .bind(&wanted.name)
        .bind(&wanted.record_type)
        .bind(wanted.enabled)
        .bind(&wanted.when)
        .bind(&wanted.changed_fields)
        .bind(wanted.filter.as_ref().map(Json))
        .bind(Json(&wanted.actions))
        .bind(caller.user.as_uuid())
        .bind(&caller.claims.roles)
        .bind(&caller.claims.entitlements)
        .bind(now)
        .fetch_one(tx.conn())
        .await;
    row.map(Into::into).map_err(named)
}

pub(super) async fn delete(tx: &mut TenantTx, id: Uuid) -> Result<(), DbError> {
    query("-- crm.automations.delete\nDELETE FROM crm.automations WHERE id = $1")
        .bind(id)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// One page and one more of an automation's runs, newest first.
pub(super) async fn runs(
    tx: &mut TenantTx,
    automation: Uuid,
    status: Option<&str>,
    (before, limit): (Option<Uuid>, u16),
) -> Result<Vec<Run>, DbError> {
    let runs = query_as(
        "-- crm.automation_runs.list\n\
         SELECT id, automation_id, event_id, kind, record_id, depth, status, attempts, outcomes, error, created_at, finished_at \
         FROM crm.automation_runs WHERE automation_id = $1 AND ($2::text IS NULL OR status = $2) \
           AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4",
    )
    .bind(automation)
    .bind(status)
    .bind(before)
    .bind(i64::from(limit) + 1);
    Ok(runs.fetch_all(tx.conn()).await?)
}

/// A run that was taken.
#[derive(Debug, FromRow)]
pub(super) struct Taken {
    pub id: Uuid,
    pub automation_id: Uuid,
    pub kind: String,
    pub record_id: Uuid,
    pub depth: i32,
    pub attempts: i32,
}

/// A run that waits to be done, locked.
pub(super) async fn taken(tx: &mut TenantTx, id: Uuid) -> Result<Option<Taken>, DbError> {
    let run = query_as(
        "-- crm.automation_runs.taken\n\
         SELECT id, automation_id, kind, record_id, depth, attempts FROM crm.automation_runs \
         WHERE id = $1 AND status = 'pending' FOR UPDATE",
    );
    Ok(run.bind(id).fetch_optional(tx.conn()).await?)
}

/// Forgets a run that had nothing to do.
pub(super) async fn forget(tx: &mut TenantTx, id: Uuid) -> Result<(), DbError> {
    query("-- crm.automation_runs.forget\nDELETE FROM crm.automation_runs WHERE id = $1")
        .bind(id)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Ends a run.
pub(super) async fn finish(
    tx: &mut TenantTx,
    id: Uuid,
    (status, error): (&str, Option<String>),
    outcomes: Value,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- crm.automation_runs.finish\n\
         UPDATE crm.automation_runs SET status = $2, error = $3, outcomes = $4, finished_at = $5, due_at = NULL \
         WHERE id = $1 AND status = 'pending'",
    )
    .bind(id)
    .bind(status)
    .bind(error)
    .bind(outcomes)
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes down which events of the transaction at hand an automation caused.
pub(super) async fn caused(
    tx: &mut TenantTx,
    automation: Uuid,
    depth: i32,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- crm.automation_effects.insert\n\
         INSERT INTO crm.automation_effects (event_id, automation_id, depth, at) \
         SELECT id, $1, $2, $3 FROM crm.events WHERE txid = pg_current_xact_id() ON CONFLICT DO NOTHING",
    )
    .bind(automation)
    .bind(depth)
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A run went well.
pub(super) async fn recovered(tx: &mut TenantTx, automation: Uuid) -> Result<(), DbError> {
    query("-- crm.automations.recovered\nUPDATE crm.automations SET failures = 0 WHERE id = $1 AND failures > 0")
        .bind(automation)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// A run failed. Answers whether the automation was disabled for that: after `most` failures one after the other.
pub(super) async fn failed(
    tx: &mut TenantTx,
    automation: Uuid,
    most: i32,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let disabled: Option<bool> = query_scalar(
        "-- crm.automations.failed\n\
         UPDATE crm.automations SET failures = failures + 1, \
           enabled = failures + 1 < $2, \
           disabled_reason = CASE WHEN failures + 1 >= $2 THEN 'failing' END, \
           updated_at = CASE WHEN failures + 1 >= $2 THEN $3 ELSE updated_at END, \
           version = version + CASE WHEN failures + 1 >= $2 THEN 1 ELSE 0 END \
         WHERE id = $1 AND enabled RETURNING NOT enabled",
    )
    .bind(automation)
    .bind(most)
    .bind(now)
    .fetch_optional(tx.conn())
    .await?;
    Ok(disabled.unwrap_or(false))
}

/// Disables the automations of a user who is gone.
pub(super) async fn creator_gone(
    tx: &mut TenantTx,
    user: Uuid,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- crm.automations.creator_gone\n\
         UPDATE crm.automations SET enabled = false, disabled_reason = 'creator_gone', updated_at = $2, version = version + 1 \
         WHERE created_by = $1 AND enabled",
    )
    .bind(user)
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}
