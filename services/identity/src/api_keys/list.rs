use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{ApiKey, ApiKeysManage, store};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListApiKeys {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tenant's API keys, newest first, without their secrets.
#[utoipa::path(
    get, path = "/api/api-keys", tag = "api-keys", security(("bearer" = ["api-keys:manage"])),
    params(ListApiKeys),
    responses((status = 200, description = "One page", body = Page<ApiKey>), bz_http::openapi::ListProblems),
)]
pub(crate) async fn list_api_keys(
    State(app): State<AppState>,
    caller: Can<ApiKeysManage>,
    Query(query): Query<ListApiKeys>,
) -> Result<Json<Page<ApiKey>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let page =
        PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, tenant, "api-keys")?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let keys = store::list(&mut tx, page.after, page.limit).await?;
    Ok(Json(Page::cut(keys, page.limit, |last: &ApiKey| {
        cursors.seal(tenant, "api-keys", &last.id)
    })))
}
