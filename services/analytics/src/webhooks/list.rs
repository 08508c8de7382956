use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Webhook, WebhooksManage, store};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListWebhooks {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tenant's webhooks, newest first.
#[utoipa::path(
    get, path = "/api/analytics/webhooks", tag = "analytics-webhooks",
    security(("bearer" = ["analytics-webhooks:manage"])),
    params(ListWebhooks),
    responses((status = 200, description = "One page", body = Page<Webhook>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_analytics_webhooks(
    State(app): State<AppState>,
    caller: Can<WebhooksManage>,
    Query(query): Query<ListWebhooks>,
) -> Result<Json<Page<Webhook>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let page =
        PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, tenant, "webhooks")?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let webhooks = store::list(&mut tx, page.after, page.limit).await?;
    Ok(Json(Page::cut(webhooks, page.limit, |last: &Webhook| {
        cursors.seal(tenant, "webhooks", &last.id)
    })))
}
