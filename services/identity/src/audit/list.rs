use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{AuditManage, entry::AuditEntry, filter::Filter, store};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListAuditLog {
    /// Only what this user or service account did.
    actor: Option<Uuid>,
    /// Only this action, for example `user.registered`.
    #[param(max_length = 200)]
    action: Option<String>,
    /// Only what was done to the thing with this id.
    target: Option<Uuid>,
    /// Only at this instant or later.
    from: Option<DateTime<Utc>>,
    /// Only before this instant.
    to: Option<DateTime<Utc>>,
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Who did what in the tenant, newest first.
#[utoipa::path(
    get, path = "/api/audit-log", tag = "audit log",
    security(("bearer" = ["audit:manage"])),
    params(ListAuditLog),
    responses((status = 200, description = "One page", body = Page<AuditEntry>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_audit_log(
    State(app): State<AppState>,
    caller: Can<AuditManage>,
    Query(query): Query<ListAuditLog>,
) -> Result<Json<Page<AuditEntry>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let filter = Filter {
        actor: query.actor,
        action: query.action,
        target: query.target,
        from: query.from,
        to: query.to,
    };
    let list = filter.list_name();
    let page = PageQuery::new(query.limit, query.cursor).open::<i64>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let entries = store::newest(&mut tx, &filter, page.after, page.limit).await?;
    Ok(Json(Page::cut(entries, page.limit, |last: &AuditEntry| {
        cursors.seal(tenant, &list, &last.seq)
    })))
}
