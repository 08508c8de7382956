use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use uuid::Uuid;

use super::{Webhook, WebhooksManage, store};
use crate::app::AppState;

/// One webhook.
#[utoipa::path(
    get, path = "/api/analytics/webhooks/{id}", tag = "analytics-webhooks",
    security(("bearer" = ["analytics-webhooks:manage"])),
    params(("id" = Uuid, Path, description = "The webhook")),
    responses(
        (status = 200, description = "The webhook", body = Webhook,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_analytics_webhook(
    State(app): State<AppState>,
    caller: Can<WebhooksManage>,
    Path(id): Path<Uuid>,
) -> Result<Versioned<Webhook>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let webhook = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(webhook.version, webhook))
}
