use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::{WebhooksManage, record, store};
use crate::{app::AppState, origin::Origin};

/// Delete a webhook with its deliveries.
#[utoipa::path(
    delete, path = "/api/webhooks/{id}", tag = "webhooks",
    security(("bearer" = ["webhooks:manage"])),
    params(("id" = Uuid, Path, description = "The webhook"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_webhook(
    State(app): State<AppState>,
    caller: Can<WebhooksManage>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    origin: Origin,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let webhook = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(webhook.version)?;
    store::delete(&mut tx, id).await?;
    let by = (&*caller, &origin);
    record(&mut tx, &app, by, "webhook.deleted", id, json!({})).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
