use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Automation, AutomationsManage, store};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListAutomations {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tenant's automations, newest first.
#[utoipa::path(
    get, path = "/api/automations", tag = "automations",
    security(("bearer" = ["automations:manage"])),
    params(ListAutomations),
    responses((status = 200, description = "One page", body = Page<Automation>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_automations(
    State(app): State<AppState>,
    caller: Can<AutomationsManage>,
    Query(query): Query<ListAutomations>,
) -> Result<Json<Page<Automation>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let page =
        PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, tenant, "automations")?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let found = store::list(&mut tx, page.after, page.limit).await?;
    Ok(Json(Page::cut(found, page.limit, |last: &Automation| {
        cursors.seal(tenant, "automations", &last.id)
    })))
}
