use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{CustomField, CustomFieldsRead, store};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListCustomFields {
    /// Only fields of this type of record: `lead`.
    record_type: Option<String>,
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tenant's own fields, in the order of their making.
#[utoipa::path(
    get, path = "/api/custom-fields", tag = "custom fields",
    security(("bearer" = ["custom-fields:read"])),
    params(ListCustomFields),
    responses((status = 200, description = "One page", body = Page<CustomField>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_custom_fields(
    State(app): State<AppState>,
    caller: Can<CustomFieldsRead>,
    Query(query): Query<ListCustomFields>,
) -> Result<Json<Page<CustomField>>, Problem> {
    let (tenant, cursors) = (caller.scope.tenant(), &app.core.cursors);
    let list = format!("custom-fields?{:?}", query.record_type);
    let page = PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let of = query.record_type.as_deref();
    let fields = store::list(&mut tx, of, page.after, page.limit).await?;
    Ok(Json(Page::cut(fields, page.limit, |last: &CustomField| {
        cursors.seal(tenant, &list, &last.id)
    })))
}
