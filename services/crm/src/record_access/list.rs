use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use sqlx::query_as;
use utoipa::IntoParams;

use super::{RecordAccess, RecordAccessManage};
use crate::app::AppState;

const LIST: &str = "record-access";

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListRecordAccess {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What was said of roles, by role and type. A role and type that is not there sees and changes all.
#[utoipa::path(
    get, path = "/api/record-access", tag = "record access",
    security(("bearer" = ["record-access:manage"])),
    params(ListRecordAccess),
    responses((status = 200, description = "One page", body = Page<RecordAccess>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_record_access(
    State(app): State<AppState>,
    caller: Can<RecordAccessManage>,
    Query(query): Query<ListRecordAccess>,
) -> Result<Json<Page<RecordAccess>>, Problem> {
    let (tenant, cursors) = (caller.scope.tenant(), &app.core.cursors);
    let page = PageQuery::new(query.limit, query.cursor)
        .open::<(String, String)>(cursors, tenant, LIST)?;
    let (role, of) = page.after.unwrap_or_default();
    let mut tx = app.core.db.read(&caller.scope).await?;
    let rows: Vec<RecordAccess> = query_as(
        "-- crm.record_access.page\nSELECT role, record_type, reads, writes, updated_at FROM crm.record_access \
         WHERE (role, record_type) > ($1, $2) ORDER BY role, record_type LIMIT $3",
    )
    .bind(role)
    .bind(of)
    .bind(i64::from(page.limit) + 1)
    .fetch_all(tx.conn())
    .await
    .map_err(bz_tenant::DbError::from)?;
    Ok(Json(Page::cut(rows, page.limit, |last: &RecordAccess| {
        cursors.seal(tenant, LIST, &(&last.role, &last.record_type))
    })))
}
