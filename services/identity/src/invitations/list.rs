use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Invitation, MembersManage, store};
use crate::app::AppState;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListInvitations {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tenant's invitations, newest first, with what became of them.
#[utoipa::path(
    get, path = "/api/invitations", tag = "invitations",
    security(("bearer" = ["members:manage"])),
    params(ListInvitations),
    responses((status = 200, description = "One page", body = Page<Invitation>), bz_http::openapi::ListProblems),
)]
pub(crate) async fn list_invitations(
    State(app): State<AppState>,
    caller: Can<MembersManage>,
    Query(query): Query<ListInvitations>,
) -> Result<Json<Page<Invitation>>, Problem> {
    const LIST: &str = "invitations";
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let page = PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, tenant, LIST)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let now = app.core.sources.now();
    let invitations = store::list(&mut tx, page.after, page.limit, now).await?;
    Ok(Json(Page::cut(
        invitations,
        page.limit,
        |last: &Invitation| cursors.seal(tenant, LIST, &last.id),
    )))
}
