//! What happened with a record, newest first: its creation, its changes field by field, and the activities, notes and
//! to-dos that are about it, as far as the caller sees them.

use bz_auth::Caller;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::{Page, UserId};
use bz_tenant::TenantTx;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::{FromRow, types};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Record, RecordType, access, access::Sight, sql::Sql, store};
use crate::app::AppState;

/// Something that happened with a record.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct TimelineEntry {
    /// The id of the change, the activity or the to-do.
    pub id: Uuid,
    /// What: `created`, `updated`, `deleted`, `restored` and the like; `activity`, `note`, `todo`.
    pub kind: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: Option<UserId>,
    /// What changed, by field: `[before, after]`.
    #[schema(value_type = Object)]
    pub changes: Map<String, Value>,
    /// Why, where something was said.
    pub reason: Option<String>,
    /// The heart of the activity, note or to-do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub record: Option<Value>,
}

/// What page of a timeline.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TimelineQuery {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    kind: String,
    at: DateTime<Utc>,
    actor: Option<Uuid>,
    changes: types::Json<Map<String, Value>>,
    reason: Option<String>,
    record: Option<types::Json<Value>>,
}

impl From<Row> for TimelineEntry {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            at: row.at,
            actor: row.actor.map(Into::into),
            changes: row.changes.0,
            reason: row.reason,
            record: row.record.map(|record| record.0),
        }
    }
}

/// Where a page ends.
type Position = (DateTime<Utc>, Uuid);

/// One page of what happened with a record that the caller sees, in the trash or not.
pub(crate) async fn page<R: Record>(
    app: &AppState,
    caller: &Caller,
    id: Uuid,
    Query(query): Query<TimelineQuery>,
) -> Result<Json<Page<TimelineEntry>>, Problem> {
    let (tenant, cursors) = (caller.scope.tenant(), &app.core.cursors);
    let list = format!("{}/{id}/timeline", R::TYPE.plural);
    let page =
        PageQuery::new(query.limit, query.cursor).open::<Position>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let sight = access::reads(app, &mut tx, caller, R::TYPE).await?;
    let record: Option<R> = store::find(&mut tx, sight, id).await?;
    record.ok_or_else(Problem::not_found)?;
    let sources = Sources {
        about: (R::TYPE, id),
        activities: about(app, (&mut tx, caller), "activity", "activities:read").await?,
        todos: about(app, (&mut tx, caller), "todo", "todos:read").await?,
        after: page.after,
        limit: i64::from(page.limit) + 1,
    };
    let rows: Vec<Row> = sources.statement().fetch_all(&mut tx).await?;
    Ok(Json(Page::cut(rows, page.limit, |last: &Row| {
        cursors.seal(tenant, &list, &(last.at, last.id))
    })))
}

/// Whose activities or to-dos the caller sees; nobody's without the permission.
async fn about(
    app: &AppState,
    (tx, caller): (&mut TenantTx, &Caller),
    name: &'static str,
    permission: &str,
) -> Result<Sight, Problem> {
    if !caller.permissions.allow(permission) {
        return Ok(Sight::None);
    }
    Ok(access::reads_of(app, tx, caller, name).await?)
}

/// Where the entries come from. Each source gives at most a page, so that a long history costs what a short one does.
struct Sources {
    about: (&'static RecordType, Uuid),
    activities: Sight,
    todos: Sight,
    after: Option<Position>,
    limit: i64,
}

const ACTIVITY: &str = "SELECT id, CASE type WHEN 'note' THEN 'note' ELSE 'activity' END, occurred_at, created_by, \
    '{}'::jsonb, NULL::text, jsonb_build_object('type', type, 'subject', subject, 'body', body, 'direction', direction, \
    'outcome', outcome, 'duration_s', duration_s) FROM crm.activities";
const TODO: &str = "SELECT id, 'todo', created_at, created_by, '{}'::jsonb, NULL::text, jsonb_build_object('title', title, \
    'status', status, 'due_at', due_at, 'due_date', due_date, 'completed_at', completed_at) FROM crm.todos";

impl Sources {
    fn statement(&self) -> Sql {
        let (record, id) = self.about;
        let mut sql = Sql::new(
            "-- crm.timeline.page\nSELECT id, kind, at, actor, changes, reason, record FROM ((\
             SELECT id, action AS kind, at, actor, changes, reason, NULL::jsonb AS record FROM crm.record_changes \
             WHERE record_id = ",
        );
        sql.bind(id).push(" AND record_type = ").bind(record.name);
        self.page(&mut sql, "at");
        sql.push(") UNION ALL (SELECT id, 'created', created_at, created_by, '{}'::jsonb, NULL::text, NULL::jsonb FROM ")
            .push(record.table)
            .push(" WHERE id = ")
            .bind(id);
        self.page(&mut sql, "created_at");
        self.linked(
            &mut sql,
            (ACTIVITY, "activity", "occurred_at"),
            self.activities,
        );
        self.linked(&mut sql, (TODO, "todo", "created_at"), self.todos);
        sql.push(")) AS entries ORDER BY at DESC, id DESC LIMIT ")
            .bind(self.limit);
        sql
    }

    fn linked(&self, sql: &mut Sql, (select, from, at): (&str, &'static str, &str), sight: Sight) {
        let (record, id) = self.about;
        sql.push(") UNION ALL (")
            .push(select)
            .push(" WHERE deleted_at IS NULL AND id IN (SELECT from_id FROM crm.record_links WHERE to_type = ")
            .bind(record.name);
        sql.push(" AND to_id = ").bind(id);
        sql.push(" AND from_type = ").bind(from).push(")");
        sight.push(sql);
        self.page(sql, at);
    }

    /// Adds the position, the order and the limit of one source.
    fn page(&self, sql: &mut Sql, at: &str) {
        if let Some((time, id)) = self.after {
            sql.push(" AND (").push(at).push(", id) < (").bind(time);
            sql.push(", ").bind(id).push(")");
        }
        sql.push(" ORDER BY ")
            .push(at)
            .push(" DESC, id DESC LIMIT ");
        sql.bind(self.limit);
    }
}

/// Declares a type's timeline, and `routes()` with it.
macro_rules! timeline {
    (
        $record:ident($id:ty), $read:ident = $read_name:literal,
        tag $tag:literal, $path:literal,
        $timeline:ident $text:literal $(,)?
    ) => {
        use axum::extract::State;
        use bz_auth::Can;
        use bz_http::{Json, Path, Problem, Query, Routes, routes};
        use bz_kernel::Page;

        use super::{$read, $record};
        use $crate::{
            app::AppState,
            records::timeline::{self, TimelineEntry, TimelineQuery},
        };

        /// The route of the timeline.
        pub(super) fn routes() -> Routes<AppState> {
            Routes::new().routes(routes!($timeline))
        }

        #[doc = $text]
        ///
        /// Newest first: creation, changes with what was before and after, activities, notes and to-dos about it.
        #[utoipa::path(
            get, path = $path, tag = $tag,
            security(("bearer" = [$read_name])),
            params(("id" = $id, Path, description = "Its id"), TimelineQuery),
            responses(
                (status = 200, description = "One page", body = Page<TimelineEntry>),
                (status = 422, description = "A parameter is not valid", body = bz_http::ProblemDocument,
                 content_type = "application/problem+json"),
                bz_http::openapi::ReadProblems,
            ),
        )]
        pub(super) async fn $timeline(
            State(app): State<AppState>,
            caller: Can<$read>,
            Path(id): Path<$id>,
            query: Query<TimelineQuery>,
        ) -> Result<Json<Page<TimelineEntry>>, Problem> {
            timeline::page::<$record>(&app, &caller, id.as_uuid(), query).await
        }
    };
}
pub(crate) use timeline;
