use axum::extract::State;
use bz_auth::Can;
use bz_events::webhooks::DeliveryStatus;
use bz_http::{Json, PageQuery, Path, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Delivery, WebhooksManage, store};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListDeliveries {
    /// Only deliveries with this status.
    status: Option<DeliveryStatus>,
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The deliveries to a webhook, newest first. They are kept for 30 days.
#[utoipa::path(
    get, path = "/api/analytics/webhooks/{id}/deliveries", tag = "analytics-webhooks",
    security(("bearer" = ["analytics-webhooks:manage"])),
    params(("id" = Uuid, Path, description = "The webhook"), ListDeliveries),
    responses(
        (status = 200, description = "One page", body = Page<Delivery>),
        (status = 404, description = "Not there, or another tenant's", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn list_analytics_webhook_deliveries(
    State(app): State<AppState>,
    caller: Can<WebhooksManage>,
    Path(id): Path<Uuid>,
    Query(query): Query<ListDeliveries>,
) -> Result<Json<Page<Delivery>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let status = query.status.map(DeliveryStatus::as_str);
    let list = format!("webhooks/{id}/deliveries?status={}", status.unwrap_or(""));
    let page = PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    if store::find(&mut tx, id).await?.is_none() {
        return Err(Problem::not_found());
    }
    let found = store::deliveries(&mut tx, id, status, page.after, page.limit).await?;
    Ok(Json(Page::cut(found, page.limit, |last: &Delivery| {
        cursors.seal(tenant, &list, &last.id)
    })))
}
