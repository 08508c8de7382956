//! What the endpoints of webhooks do. [`webhook_endpoints`](crate::webhook_endpoints) has their documents.

use axum::response::{IntoResponse, Response};
use bz_auth::Caller;
use bz_events::webhooks::{
    CreateWebhook, Delivery, DeliveryStatus, Message, PatchWebhook, Webhook, WebhookWithSecret,
    disabled, queue, table, too_many,
};
use bz_http::{
    Created, IdempotencyKey, IfMatch, Json, PageQuery, Problem, Versioned, webhook::WebhookSecret,
};
use bz_kernel::Page;
use chrono::TimeDelta;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use uuid::Uuid;

use super::{Change, HasWebhooks, ListDeliveries, ListWebhooks};

/// The most webhooks of a tenant.
const MOST: i64 = 50;
/// How long messages are signed with the old secret too.
const OVERLAP: TimeDelta = TimeDelta::hours(24);

/// Who asks, and from where.
type By<'a, A> = (&'a Caller, &'a <A as HasWebhooks>::Origin);

/// Sets up a webhook.
///
/// # Errors
/// As the endpoint documents.
pub async fn create<A: HasWebhooks>(
    app: &A,
    by: By<'_, A>,
    key: &IdempotencyKey,
    request: CreateWebhook,
) -> Result<Response, Problem> {
    let (core, sources) = (app.core(), &app.core().sources);
    let (caller, _) = by;
    let url = app.webhooks().check_url(&request.url)?;
    let made = bz_http::idempotent(
        (&core.db, &sources.clock),
        &caller.scope,
        key,
        "webhooks.create",
        &request,
        async |tx| {
            if table::count(tx).await? >= MOST {
                return Err(too_many());
            }
            let (id, secret): (Uuid, _) = (sources.id(), WebhookSecret::generate(&sources.rng));
            let sealed = app.webhooks().seal(id, &secret);
            let creator = (caller.user, sources.now());
            let webhook = table::insert(tx, id, creator, &request, &sealed).await?;
            let change = Change {
                by: Some(by),
                action: "webhook.created",
                webhook: id,
                details: json!({ "host": url.host_str(), "events": request.events }),
            };
            app.record(tx, change).await?;
            Ok(webhook)
        },
    )
    .await?;
    // Not part of what is kept for the key, which is not sealed.
    let secret = secret_of(app, caller, made.value.id).await?;
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
async fn secret_of<A: HasWebhooks>(
    app: &A,
    caller: &Caller,
    id: Uuid,
) -> Result<WebhookSecret, Problem> {
    let mut tx = app.core().db.read(&caller.scope).await?;
    let sealed = table::secret(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let opened = app.webhooks().sealer.open(id.as_bytes(), &sealed);
    opened
        .map(WebhookSecret::from_bytes)
        .map_err(Problem::internal)
}

/// The tenant's webhooks.
///
/// # Errors
/// As the endpoint documents.
pub async fn list<A: HasWebhooks>(
    app: &A,
    caller: &Caller,
    query: ListWebhooks,
) -> Result<Json<Page<Webhook>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core().cursors);
    let page =
        PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, tenant, "webhooks")?;
    let mut tx = app.core().db.read(&caller.scope).await?;
    let webhooks = table::list(&mut tx, page.after, page.limit).await?;
    Ok(Json(Page::cut(webhooks, page.limit, |last: &Webhook| {
        cursors.seal(tenant, "webhooks", &last.id)
    })))
}

/// One webhook.
///
/// # Errors
/// As the endpoint documents.
pub async fn get<A: HasWebhooks>(
    app: &A,
    caller: &Caller,
    id: Uuid,
) -> Result<Versioned<Webhook>, Problem> {
    let mut tx = app.core().db.read(&caller.scope).await?;
    let webhook = table::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(webhook.version, webhook))
}

/// Changes a webhook.
///
/// # Errors
/// As the endpoint documents.
pub async fn patch<A: HasWebhooks>(
    app: &A,
    by: By<'_, A>,
    id: Uuid,
    if_match: &IfMatch,
    patch: PatchWebhook,
) -> Result<Versioned<Webhook>, Problem> {
    if let Some(url) = &patch.url {
        app.webhooks().check_url(url)?;
    }
    let core = app.core();
    let mut tx = core.db.tenant(&by.0.scope).await?;
    let webhook = table::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(webhook.version)?;
    let wanted = patch.onto(webhook);
    let changed = table::update(&mut tx, core.sources.now(), &wanted).await?;
    let change = Change {
        by: Some(by),
        action: "webhook.updated",
        webhook: id,
        details: json!({ "events": changed.events, "enabled": changed.enabled }),
    };
    app.record(&mut tx, change).await?;
    tx.commit().await?;
    Ok(Versioned(changed.version, changed))
}

/// Deletes a webhook with its deliveries.
///
/// # Errors
/// As the endpoint documents.
pub async fn delete<A: HasWebhooks>(
    app: &A,
    by: By<'_, A>,
    id: Uuid,
    if_match: &IfMatch,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core().db.tenant(&by.0.scope).await?;
    let webhook = table::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(webhook.version)?;
    table::delete(&mut tx, id).await?;
    let change = Change {
        by: Some(by),
        action: "webhook.deleted",
        webhook: id,
        details: json!({}),
    };
    app.record(&mut tx, change).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a test message.
///
/// # Errors
/// As the endpoint documents.
pub async fn test<A: HasWebhooks>(
    app: &A,
    by: By<'_, A>,
    id: Uuid,
) -> Result<(StatusCode, Json<Delivery>), Problem> {
    let (core, sources) = (app.core(), &app.core().sources);
    let mut tx = core.db.tenant(&by.0.scope).await?;
    let webhook = table::find(&mut tx, id)
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
    let queued = table::delivery(&mut tx, delivery)
        .await?
        .ok_or_else(Problem::not_found)?;
    let change = Change {
        by: Some(by),
        action: "webhook.tested",
        webhook: id,
        details: json!({}),
    };
    app.record(&mut tx, change).await?;
    tx.commit().await?;
    app.wake();
    Ok((StatusCode::ACCEPTED, Json(queued)))
}

/// Gives a webhook a new secret.
///
/// # Errors
/// As the endpoint documents.
pub async fn rotate<A: HasWebhooks>(app: &A, by: By<'_, A>, id: Uuid) -> Result<Response, Problem> {
    let (core, sources) = (app.core(), &app.core().sources);
    let (now, secret) = (sources.now(), WebhookSecret::generate(&sources.rng));
    let sealed = app.webhooks().seal(id, &secret);
    let mut tx = core.db.tenant(&by.0.scope).await?;
    let webhook = table::rotate(&mut tx, id, &sealed, (now, now + OVERLAP))
        .await?
        .ok_or_else(Problem::not_found)?;
    let change = Change {
        by: Some(by),
        action: "webhook.secret_rotated",
        webhook: id,
        details: json!({}),
    };
    app.record(&mut tx, change).await?;
    tx.commit().await?;
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((no_store, Json(WebhookWithSecret::new(webhook, &secret))).into_response())
}

/// The deliveries to a webhook.
///
/// # Errors
/// As the endpoint documents.
pub async fn deliveries<A: HasWebhooks>(
    app: &A,
    caller: &Caller,
    id: Uuid,
    query: ListDeliveries,
) -> Result<Json<Page<Delivery>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core().cursors);
    let status = query.status.map(DeliveryStatus::as_str);
    let list = format!("webhooks/{id}/deliveries?status={}", status.unwrap_or(""));
    let page = PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, tenant, &list)?;
    let mut tx = app.core().db.read(&caller.scope).await?;
    if table::find(&mut tx, id).await?.is_none() {
        return Err(Problem::not_found());
    }
    let found = table::deliveries(&mut tx, id, status, page.after, page.limit).await?;
    Ok(Json(Page::cut(found, page.limit, |last: &Delivery| {
        cursors.seal(tenant, &list, &last.id)
    })))
}

/// Delivers a message once more.
///
/// # Errors
/// As the endpoint documents.
pub async fn replay<A: HasWebhooks>(
    app: &A,
    by: By<'_, A>,
    id: Uuid,
) -> Result<(StatusCode, Json<Delivery>), Problem> {
    let (core, sources) = (app.core(), &app.core().sources);
    let mut tx = core.db.tenant(&by.0.scope).await?;
    let replayed = table::delivery(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let webhook = table::find(&mut tx, replayed.webhook_id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if !webhook.enabled {
        return Err(disabled());
    }
    let again = table::replay(&mut tx, id, sources.id(), sources.now()).await?;
    let change = Change {
        by: Some(by),
        action: "webhook.replayed",
        webhook: webhook.id,
        details: json!({ "delivery_id": id, "event_id": again.event_id }),
    };
    app.record(&mut tx, change).await?;
    tx.commit().await?;
    app.wake();
    Ok((StatusCode::ACCEPTED, Json(again)))
}
