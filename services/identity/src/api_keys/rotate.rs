use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{Path, Problem};
use bz_tenant::TenantTx;
use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::{ApiKeyWithSecret, ApiKeysManage, store, text};
use crate::{app::AppState, credential::Credential, origin::Origin};

/// Give one of one's own API keys another secret. The old one stops to work, everywhere within a second.
///
/// Only the owner may: the key acts as the owner, and the answer shows it.
#[utoipa::path(
    post, path = "/api/api-keys/{id}/rotate", tag = "api-keys", security(("bearer" = ["api-keys:manage"])),
    params(("id" = Uuid, Path, description = "The key")),
    responses(
        (status = 200, description = "The key, with its new secret", body = ApiKeyWithSecret),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(crate) async fn rotate_api_key(
    State(app): State<AppState>,
    caller: Can<ApiKeysManage>,
    origin: Origin,
    Path(id): Path<Uuid>,
) -> Result<Response, Problem> {
    super::only_people(&caller)?;
    let sources = &app.core.sources;
    let credential = Credential::new(caller.tenant(), id, &sources.rng);
    let replace = async |tx: &mut TenantTx| {
        let key = store::find_for_update(tx, id)
            .await?
            .ok_or_else(Problem::not_found)?;
        if key.owner_id != caller.user {
            return Err(Problem::forbidden().detail("Only its owner may rotate a key."));
        }
        let key = store::replace_secret(tx, id, credential.secret_hash(), sources.now()).await?;
        let what = (id, "api_key.rotated");
        super::changed(tx, &app, &caller, what, json!({}), &origin).await?;
        Ok(key)
    };
    let key = app
        .core
        .db
        .run("identity.api_keys.rotate", &caller.scope, replace)
        .await?;
    app.wake();
    let secret = text::expose(&credential, app.config.key_environment);
    Ok(ApiKeyWithSecret::new(key, &secret).with_status(StatusCode::OK))
}
