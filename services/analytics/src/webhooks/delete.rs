use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use http::StatusCode;
use uuid::Uuid;

use super::{WebhooksManage, store};
use crate::app::AppState;

/// Delete a webhook with its deliveries.
#[utoipa::path(
    delete, path = "/api/analytics/webhooks/{id}", tag = "analytics-webhooks",
    security(("bearer" = ["analytics-webhooks:manage"])),
    params(("id" = Uuid, Path, description = "The webhook"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_analytics_webhook(
    State(app): State<AppState>,
    caller: Can<WebhooksManage>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let webhook = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(webhook.version)?;
    store::delete(&mut tx, id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
