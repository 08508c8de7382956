use axum::extract::State;
use bz_auth::Can;
use bz_events::webhooks::{Message, disabled, queue};
use bz_http::{Json, Path, Problem};
use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::{Delivery, WebhooksManage, store};
use crate::app::AppState;

/// Send a test message (`webhook.test`) to a webhook.
///
/// It is delivered like any other one; the list of deliveries shows what became of it.
#[utoipa::path(
    post, path = "/api/analytics/webhooks/{id}/test", tag = "analytics-webhooks",
    security(("bearer" = ["analytics-webhooks:manage"])),
    params(("id" = Uuid, Path, description = "The webhook")),
    responses(
        (status = 202, description = "The delivery, which is on its way", body = Delivery),
        (status = 409, description = "The webhook is disabled", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn test_analytics_webhook(
    State(app): State<AppState>,
    caller: Can<WebhooksManage>,
    Path(id): Path<Uuid>,
) -> Result<(StatusCode, Json<Delivery>), Problem> {
    let sources = &app.core.sources;
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let webhook = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if !webhook.enabled {
        return Err(disabled());
    }
    let message = Message {
        id: sources.id(),
        event_id: sources.id(),
        kind: "webhook.test",
        data: json!({ "webhook_id": id }),
    };
    let delivery = message.id;
    queue(&mut tx, id, message, sources.now()).await?;
    let queued = store::delivery(&mut tx, delivery)
        .await?
        .ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    app.wake();
    Ok((StatusCode::ACCEPTED, Json(queued)))
}
