use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{Created, IdempotencyKey, Json, Problem, webhook::WebhookSecret};
use http::{HeaderValue, header};
use uuid::Uuid;

use super::{CreateWebhook, WebhookWithSecret, WebhooksManage, store};
use crate::app::AppState;

/// The most webhooks of a tenant.
const MOST: i64 = 50;

/// Set up a webhook.
///
/// The answer has the secret by which the receiver verifies signatures; it is not shown again. With an `Idempotency-Key`
/// the same request may be sent again: it makes no second webhook.
#[utoipa::path(
    post, path = "/api/analytics/webhooks", tag = "analytics-webhooks",
    security(("bearer" = ["analytics-webhooks:manage"])),
    params(IdempotencyKey),
    request_body = CreateWebhook,
    responses(
        (status = 201, description = "The webhook and its secret", body = WebhookWithSecret,
         headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "There are 50 already", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_analytics_webhook(
    State(app): State<AppState>,
    caller: Can<WebhooksManage>,
    key: IdempotencyKey,
    Json(request): Json<CreateWebhook>,
) -> Result<Response, Problem> {
    let (core, sources) = (&app.core, &app.core.sources);
    app.webhooks.check_url(&request.url)?;
    let made = bz_http::idempotent(
        (&core.db, &sources.clock),
        &caller.scope,
        &key,
        "webhooks.create",
        &request,
        async |tx| {
            if store::count(tx).await? >= MOST {
                return Err(bz_events::webhooks::too_many());
            }
            let (id, secret): (Uuid, _) = (sources.id(), WebhookSecret::generate(&sources.rng));
            let sealed = app.webhooks.seal(id, &secret);
            let by = (caller.user, sources.now());
            let webhook = store::insert(tx, id, by, &request, &sealed).await?;
            Ok(webhook)
        },
    )
    .await?;
    // Not part of what is kept for the key, which is not sealed.
    let secret = secret_of(&app, &caller, made.value.id).await?;
    let version = made.value.version;
    let shown = Created {
        value: WebhookWithSecret::new(made.value, &secret),
        replayed: made.replayed,
    };
    let mut response = shown.into_response_with(|_| version);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The secret of a webhook that this very request made, now or before.
async fn secret_of(
    app: &AppState,
    caller: &bz_auth::Caller,
    id: Uuid,
) -> Result<WebhookSecret, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let sealed = store::secret(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let opened = app.webhooks.sealer.open(id.as_bytes(), &sealed);
    opened
        .map(WebhookSecret::from_bytes)
        .map_err(Problem::internal)
}
