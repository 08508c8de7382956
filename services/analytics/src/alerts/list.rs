use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{AlertsRead, resource::Alert, store};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListAlerts {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The alerts of the tenant, newest first.
#[utoipa::path(
    get, path = "/api/alerts", tag = "alerts",
    security(("bearer" = ["alerts:read"])),
    params(ListAlerts),
    responses((status = 200, description = "One page", body = Page<Alert>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_alerts(
    State(app): State<AppState>,
    caller: Can<AlertsRead>,
    Query(query): Query<ListAlerts>,
) -> Result<Json<Page<Alert>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let page = PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, tenant, "alerts")?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let alerts = store::list(&mut tx, page.after, i64::from(page.limit) + 1).await?;
    Ok(Json(Page::cut(alerts, page.limit, |last: &Alert| {
        cursors.seal(tenant, "alerts", &last.id)
    })))
}
