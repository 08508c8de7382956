use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Tag, TagsRead, store};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListTags {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tags by name, each with how many records have it.
#[utoipa::path(
    get, path = "/api/tags", tag = "tags",
    security(("bearer" = ["tags:read"])),
    params(ListTags),
    responses((status = 200, description = "One page", body = Page<Tag>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_tags(
    State(app): State<AppState>,
    caller: Can<TagsRead>,
    Query(query): Query<ListTags>,
) -> Result<Json<Page<Tag>>, Problem> {
    let (tenant, cursors) = (caller.scope.tenant(), &app.core.cursors);
    let page = PageQuery::new(query.limit, query.cursor).open::<String>(cursors, tenant, "tags")?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let tags = store::list(&mut tx, page.after.as_deref(), page.limit).await?;
    Ok(Json(Page::cut(tags, page.limit, |last: &Tag| {
        cursors.seal(tenant, "tags", &last.name)
    })))
}
