//! SQL of assignment rules. Row-level security confines every statement to the tenant of the transaction.

use std::sync::Arc;

use bz_http::Problem;
use bz_tenant::{DbError, OnConstraint, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, query_scalar, types::Json};
use uuid::Uuid;

use super::{Assign, AssignmentRule, AssignmentRuleId, WantedRule, choose::Turn};
use crate::{app::AppState, problems, records::filter::Filter};

const COLUMNS: &str =
    "id, name, position, enabled, filter, assign, created_at, updated_at, version";

#[derive(FromRow)]
struct Row {
    id: Uuid,
    name: String,
    position: i32,
    enabled: bool,
    filter: Option<Json<Filter>>,
    assign: Json<Assign>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

impl From<Row> for AssignmentRule {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            position: row.position,
            enabled: row.enabled,
            filter: row.filter.map(|filter| filter.0),
            assign: row.assign.0,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// The rules that are used, in their order, as they were within the last second.
pub(crate) async fn rules(
    app: &AppState,
    tx: &mut TenantTx,
) -> Result<Arc<Vec<AssignmentRule>>, DbError> {
    let tenant = tx.scope().tenant();
    if let Some(known) = app.known.rules.get(&tenant) {
        return Ok(known);
    }
    let rules = Arc::new(
        all(tx)
            .await?
            .into_iter()
            .filter(|rule| rule.enabled)
            .collect::<Vec<_>>(),
    );
    app.known.rules.insert(tenant, rules.clone());
    Ok(rules)
}

/// All rules, in their order.
pub(super) async fn all(tx: &mut TenantTx) -> Result<Vec<AssignmentRule>, DbError> {
    let rows: Vec<Row> = query_as(&format!(
        "-- crm.assignment_rules.all\nSELECT {COLUMNS} FROM crm.assignment_rules ORDER BY position, id"
    ))
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(AssignmentRule::from).collect())
}

/// One rule.
pub(crate) async fn find(
    tx: &mut TenantTx,
    id: AssignmentRuleId,
) -> Result<Option<AssignmentRule>, DbError> {
    one(tx, id, "find", "").await
}

/// One rule, locked until the transaction ends.
pub(super) async fn find_for_update(
    tx: &mut TenantTx,
    id: AssignmentRuleId,
) -> Result<Option<AssignmentRule>, DbError> {
    one(tx, id, "find_for_update", " FOR UPDATE").await
}

async fn one(
    tx: &mut TenantTx,
    id: AssignmentRuleId,
    name: &str,
    lock: &str,
) -> Result<Option<AssignmentRule>, DbError> {
    let row: Option<Row> = query_as(&format!(
        "-- crm.assignment_rules.{name}\nSELECT {COLUMNS} FROM crm.assignment_rules WHERE id = $1{lock}"
    ))
    .bind(id.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(AssignmentRule::from))
}

/// Writes a new rule.
pub(super) async fn insert(
    tx: &mut TenantTx,
    (id, by): (Uuid, Uuid),
    now: DateTime<Utc>,
    wanted: &WantedRule,
) -> Result<AssignmentRule, Problem> {
    let row: Row = query_as(&format!(
        "-- crm.assignment_rules.insert\n\
         INSERT INTO crm.assignment_rules (id, name, position, enabled, filter, assign, created_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) RETURNING {COLUMNS}"
    ))
    .bind(id)
    .bind(&wanted.name)
    .bind(wanted.position)
    .bind(wanted.enabled)
    .bind(wanted.filter.as_ref().map(Json))
    .bind(Json(&wanted.assign))
    .bind(by)
    .bind(now)
    .fetch_one(tx.conn())
    .await
    .on_constraint("assignment_rules_name_key", problems::name_taken)?;
    Ok(row.into())
}

/// Writes all of a rule that is locked.
pub(super) async fn update(
    tx: &mut TenantTx,
    id: AssignmentRuleId,
    now: DateTime<Utc>,
    wanted: &WantedRule,
) -> Result<AssignmentRule, Problem> {
    let row: Row = query_as(&format!(
        "-- crm.assignment_rules.update\n\
         UPDATE crm.assignment_rules SET name = $2, position = $3, enabled = $4, filter = $5, assign = $6, updated_at = $7, \
         version = version + 1 WHERE id = $1 RETURNING {COLUMNS}"
    ))
    .bind(id.as_uuid())
    .bind(&wanted.name)
    .bind(wanted.position)
    .bind(wanted.enabled)
    .bind(wanted.filter.as_ref().map(Json))
    .bind(Json(&wanted.assign))
    .bind(now)
    .fetch_one(tx.conn())
    .await
    .on_constraint("assignment_rules_name_key", problems::name_taken)?;
    Ok(row.into())
}

/// Deletes a rule that is locked.
pub(super) async fn delete(tx: &mut TenantTx, id: AssignmentRuleId) -> Result<(), DbError> {
    query("-- crm.assignment_rules.delete\nDELETE FROM crm.assignment_rules WHERE id = $1")
        .bind(id.as_uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Which turn it is, from 0, of so many that come. Taking them locks the rule until the transaction ends, so that no two
/// leads have one turn.
pub(super) async fn turns(
    tx: &mut TenantTx,
    id: AssignmentRuleId,
    count: i64,
    turn: Turn,
) -> Result<i64, DbError> {
    let sql = match turn {
        Turn::Take => {
            "-- crm.assignment_rules.take_turns\n\
             UPDATE crm.assignment_rules SET turn = turn + $2 WHERE id = $1 RETURNING turn - $2"
        }
        Turn::Look => {
            "-- crm.assignment_rules.turn\nSELECT turn FROM crm.assignment_rules WHERE id = $1 AND $2 > 0"
        }
    };
    let turn: Option<i64> = query_scalar(sql)
        .bind(id.as_uuid())
        .bind(count)
        .fetch_optional(tx.conn())
        .await?;
    Ok(turn.unwrap_or_default())
}

/// Lets nobody else use the rule until the transaction ends.
pub(super) async fn lock(tx: &mut TenantTx, id: AssignmentRuleId) -> Result<(), DbError> {
    query(
        "-- crm.assignment_rules.lock\nSELECT 1 FROM crm.assignment_rules WHERE id = $1 FOR UPDATE",
    )
    .bind(id.as_uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}
