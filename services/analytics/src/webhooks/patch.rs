use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Versioned};
use uuid::Uuid;

use super::{PatchWebhook, Webhook, WebhooksManage, store};
use crate::app::AppState;

/// Change a webhook.
///
/// JSON merge patch: a missing field stays, `null` clears it. With `If-Match` the change is made only on that version.
#[utoipa::path(
    patch, path = "/api/analytics/webhooks/{id}", tag = "analytics-webhooks",
    security(("bearer" = ["analytics-webhooks:manage"])),
    params(("id" = Uuid, Path, description = "The webhook"), IfMatch),
    request_body = PatchWebhook,
    responses(
        (status = 200, description = "The webhook as it is now", body = Webhook,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn patch_analytics_webhook(
    State(app): State<AppState>,
    caller: Can<WebhooksManage>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(patch): Json<PatchWebhook>,
) -> Result<Versioned<Webhook>, Problem> {
    if let Some(url) = &patch.url {
        app.webhooks.check_url(url)?;
    }
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let webhook = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(webhook.version)?;
    let wanted = patch.onto(webhook);
    let changed = store::update(&mut tx, app.core.sources.now(), &wanted).await?;
    tx.commit().await?;
    Ok(Versioned(changed.version, changed))
}
