use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{OauthClient, OauthClientId, OauthClientsManage, store};
use crate::app::AppState;

const LIST: &str = "oauth-clients";

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListOauthClients {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tenant's applications, newest first.
#[utoipa::path(
    get, path = "/api/oauth-clients", tag = "oauth-clients",
    security(("bearer" = ["oauth-clients:manage"])),
    params(ListOauthClients),
    responses((status = 200, description = "One page", body = Page<OauthClient>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_oauth_clients(
    State(app): State<AppState>,
    caller: Can<OauthClientsManage>,
    Query(query): Query<ListOauthClients>,
) -> Result<Json<Page<OauthClient>>, Problem> {
    let tenant = caller.scope.tenant();
    let cursors = &app.core.cursors;
    let page =
        PageQuery::new(query.limit, query.cursor).open::<OauthClientId>(cursors, tenant, LIST)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let clients = store::list(&mut tx, page.after, page.limit).await?;
    Ok(Json(Page::cut(
        clients,
        page.limit,
        |last: &OauthClient| cursors.seal(tenant, LIST, &last.id),
    )))
}
