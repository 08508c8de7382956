use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::{Page, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};
use sqlx::{FromRow, types};
use utoipa::IntoParams;
use uuid::Uuid;

use super::{AuditEntry, CrmAuditManage};
use crate::{
    app::AppState,
    records::{ALL, RecordType, sql::Sql},
};

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListAudit {
    /// Only changes of this type: `lead`, `tag`.
    record_type: Option<String>,
    /// Only changes of this record.
    record_id: Option<Uuid>,
    /// Only what this user did.
    actor: Option<UserId>,
    /// Only this: `created`, `updated`, `deleted`, `restored`.
    action: Option<String>,
    /// Only from this time on.
    since: Option<DateTime<Utc>>,
    /// Only before this time.
    until: Option<DateTime<Utc>>,
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Who changed what, newest first.
#[utoipa::path(
    get, path = "/api/audit", tag = "audit",
    security(("bearer" = ["crm-audit:manage"])),
    params(ListAudit),
    responses((status = 200, description = "One page", body = Page<AuditEntry>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_audit(
    State(app): State<AppState>,
    caller: Can<CrmAuditManage>,
    Query(query): Query<ListAudit>,
) -> Result<Json<Page<AuditEntry>>, Problem> {
    let (tenant, cursors) = (caller.scope.tenant(), &app.core.cursors);
    let list = query.name();
    let page = PageQuery::new(query.limit, query.cursor.clone());
    let page = page.open::<Uuid>(cursors, tenant, &list)?;
    let sql = query.statement(page.after, i64::from(page.limit) + 1);
    let mut tx = app.core.db.read(&caller.scope).await?;
    let rows: Vec<Row> = sql.fetch_all(&mut tx).await?;
    Ok(Json(Page::cut(rows, page.limit, |last: &Row| {
        cursors.seal(tenant, &list, &last.id)
    })))
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    record_type: String,
    record_id: Uuid,
    action: String,
    actor: Option<Uuid>,
    at: DateTime<Utc>,
    changes: types::Json<Map<String, Value>>,
    reason: Option<String>,
}

impl From<Row> for AuditEntry {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            record_type: row.record_type,
            record_id: row.record_id,
            action: row.action,
            actor: row.actor.map(Into::into),
            at: row.at,
            changes: row.changes.0,
            reason: row.reason,
        }
    }
}

impl ListAudit {
    fn name(&self) -> String {
        format!(
            "audit?{:?}{:?}{:?}{:?}{:?}{:?}",
            self.record_type, self.record_id, self.actor, self.action, self.since, self.until
        )
    }

    /// Changes have rows of their own; that a record was created is in the record itself, under the same kind of id.
    fn statement(&self, after: Option<Uuid>, limit: i64) -> Sql {
        let mut sql = Sql::new(
            "-- crm.audit.page\nSELECT id, record_type, record_id, action, actor, at, changes, reason FROM ((\
             SELECT id, record_type, record_id, action, actor, at, changes, reason FROM crm.record_changes WHERE true",
        );
        if let Some(of) = &self.record_type {
            sql.push(" AND record_type = ").bind(of.clone());
        }
        if let Some(action) = &self.action {
            sql.push(" AND action = ").bind(action.clone());
        }
        self.rest(&mut sql, ["record_id", "actor", "at"], (after, limit));
        if self
            .action
            .as_deref()
            .is_none_or(|action| action == "created")
        {
            for record in ALL {
                self.creations(&mut sql, record, (after, limit));
            }
        }
        sql.push(")) AS entries ORDER BY id DESC LIMIT ")
            .bind(limit);
        sql
    }

    fn creations(&self, sql: &mut Sql, record: &RecordType, page: (Option<Uuid>, i64)) {
        if self
            .record_type
            .as_deref()
            .is_some_and(|of| of != record.name)
        {
            return;
        }
        sql.push(") UNION ALL (SELECT id, ").bind(record.name);
        sql.push(", id, 'created', created_by, created_at, '{}'::jsonb, NULL::text FROM ")
            .push(record.table)
            .push(" WHERE true");
        self.rest(sql, ["id", "created_by", "created_at"], page);
    }

    /// Adds the conditions that all sources have, under the names that they have there.
    fn rest(
        &self,
        sql: &mut Sql,
        [record, actor, at]: [&str; 3],
        (after, limit): (Option<Uuid>, i64),
    ) {
        if let Some(id) = self.record_id {
            sql.push(" AND ").push(record).push(" = ").bind(id);
        }
        if let Some(user) = self.actor {
            sql.push(" AND ")
                .push(actor)
                .push(" = ")
                .bind(user.as_uuid());
        }
        if let Some(since) = self.since {
            sql.push(" AND ").push(at).push(" >= ").bind(since);
            sql.push(" AND id >= ").bind(first_id(since, -1));
        }
        if let Some(until) = self.until {
            sql.push(" AND ").push(at).push(" < ").bind(until);
            sql.push(" AND id < ").bind(first_id(until, 1));
        }
        if let Some(after) = after {
            sql.push(" AND id < ").bind(after);
        }
        sql.push(" ORDER BY id DESC LIMIT ").bind(limit);
    }
}

/// The first id that can have been made some seconds around an instant: ids begin with their time, so a period is a range
/// of ids, which is a range of the index.
fn first_id(at: DateTime<Utc>, seconds: i64) -> Uuid {
    let at = at + TimeDelta::seconds(seconds);
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
    Uuid::from_u128(u128::from(millis & 0xffff_ffff_ffff) << 80)
}
