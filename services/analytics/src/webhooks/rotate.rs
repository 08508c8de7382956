use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bz_auth::Can;
use bz_http::{Json, Path, Problem, webhook::WebhookSecret};
use chrono::TimeDelta;
use http::{HeaderValue, header};
use uuid::Uuid;

use super::{WebhookWithSecret, WebhooksManage, store};
use crate::app::AppState;

/// How long messages are signed with the old secret too.
const OVERLAP: TimeDelta = TimeDelta::hours(24);

/// Give a webhook a new secret.
///
/// For 24 hours messages are signed with the old one as well, so that the receiver can change over. Rotating twice ends
/// the old one at once.
#[utoipa::path(
    post, path = "/api/analytics/webhooks/{id}/rotate-secret", tag = "analytics-webhooks",
    security(("bearer" = ["analytics-webhooks:manage"])),
    params(("id" = Uuid, Path, description = "The webhook")),
    responses(
        (status = 200, description = "The webhook and its new secret, which is not shown again", body = WebhookWithSecret),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn rotate_analytics_webhook_secret(
    State(app): State<AppState>,
    caller: Can<WebhooksManage>,
    Path(id): Path<Uuid>,
) -> Result<Response, Problem> {
    let (now, secret) = (
        app.core.sources.now(),
        WebhookSecret::generate(&app.core.sources.rng),
    );
    let sealed = app.webhooks.seal(id, &secret);
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let webhook = store::rotate(&mut tx, id, &sealed, (now, now + OVERLAP))
        .await?
        .ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((no_store, Json(WebhookWithSecret::new(webhook, &secret))).into_response())
}
