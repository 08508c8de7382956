use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{View, ViewsRead, store};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListViews {
    /// Only views of this type of record: `lead`.
    record_type: Option<String>,
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// One's own views and the shared ones, newest first.
#[utoipa::path(
    get, path = "/api/views", tag = "views",
    security(("bearer" = ["views:read"])),
    params(ListViews),
    responses((status = 200, description = "One page", body = Page<View>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_views(
    State(app): State<AppState>,
    caller: Can<ViewsRead>,
    Query(query): Query<ListViews>,
) -> Result<Json<Page<View>>, Problem> {
    let (tenant, cursors) = (caller.scope.tenant(), &app.core.cursors);
    let list = format!("views?{:?}", query.record_type);
    let page = PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let of = (caller.user, query.record_type.as_deref());
    let views = store::list(&mut tx, of, page.after, page.limit).await?;
    Ok(Json(Page::cut(views, page.limit, |last: &View| {
        cursors.seal(tenant, &list, &last.id)
    })))
}
