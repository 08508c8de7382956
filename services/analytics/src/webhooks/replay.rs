use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};
use http::StatusCode;
use uuid::Uuid;

use super::{Delivery, WebhooksManage, store};
use crate::app::AppState;

/// Deliver a message once more, with the same `webhook-id`.
#[utoipa::path(
    post, path = "/api/analytics/webhooks/deliveries/{id}/replay", tag = "analytics-webhooks",
    security(("bearer" = ["analytics-webhooks:manage"])),
    params(("id" = Uuid, Path, description = "The delivery to repeat")),
    responses(
        (status = 202, description = "The new delivery, which is on its way", body = Delivery),
        (status = 409, description = "The webhook is disabled", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn replay_analytics_webhook_delivery(
    State(app): State<AppState>,
    caller: Can<WebhooksManage>,
    Path(id): Path<Uuid>,
) -> Result<(StatusCode, Json<Delivery>), Problem> {
    let sources = &app.core.sources;
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let replayed = store::delivery(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let webhook = store::find(&mut tx, replayed.webhook_id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if !webhook.enabled {
        return Err(bz_events::webhooks::disabled());
    }
    let again = store::replay(&mut tx, id, sources.id(), sources.now()).await?;
    tx.commit().await?;
    app.wake();
    Ok((StatusCode::ACCEPTED, Json(again)))
}
