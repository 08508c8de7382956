use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Path, Problem, Query};
use bz_kernel::Page;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{WebhooksManage, store};
use crate::app::AppState;

/// A message on its way to a webhook, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow, ToSchema)]
pub(crate) struct Delivery {
    /// The delivery's id.
    pub(super) id: Uuid,
    /// The webhook.
    pub(super) webhook_id: Uuid,
    /// The message's id, which the receiver gets as `webhook-id`; the same for every attempt and every replay.
    pub(super) event_id: Uuid,
    /// What happened.
    #[sqlx(rename = "kind")]
    pub(super) r#type: String,
    /// `pending`, `delivered` or `failed`.
    pub(super) status: String,
    /// Attempts that were begun.
    pub(super) attempts: i32,
    /// When it is tried next.
    pub(super) next_attempt_at: Option<DateTime<Utc>>,
    /// When it was tried last.
    pub(super) last_attempt_at: Option<DateTime<Utc>>,
    /// The status that was answered last.
    pub(super) response_status: Option<i32>,
    /// The beginning of what was answered last.
    pub(super) response_excerpt: Option<String>,
    /// How long that took, in milliseconds.
    pub(super) latency_ms: Option<i32>,
    /// Why the last attempt failed: `status`, `timeout`, `no_connection`, `connection_broken`, `address_refused`,
    /// `url_refused`, `webhook_disabled`, `secret_unreadable`.
    pub(super) error: Option<String>,
    /// The delivery that this one repeats.
    pub(super) replay_of: Option<Uuid>,
    /// When it came to be.
    pub(super) created_at: DateTime<Utc>,
    /// When it was delivered or given up.
    pub(super) finished_at: Option<DateTime<Utc>>,
}

/// Where a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DeliveryStatus {
    /// On its way.
    Pending,
    /// The receiver answered 2xx.
    Delivered,
    /// Given up.
    Failed,
}

impl DeliveryStatus {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

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
    get, path = "/api/webhooks/{id}/deliveries", tag = "webhooks",
    security(("bearer" = ["webhooks:manage"])),
    params(("id" = Uuid, Path, description = "The webhook"), ListDeliveries),
    responses(
        (status = 200, description = "One page", body = Page<Delivery>),
        (status = 404, description = "Not there, or another tenant's", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn list_webhook_deliveries(
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
