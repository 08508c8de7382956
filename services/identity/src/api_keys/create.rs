use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{Errors, Json, Problem, Validate};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{ApiKeyWithSecret, ApiKeysManage, store, store::NewApiKey, text};
use crate::{app::AppState, credential::Credential, origin::Origin};

/// A key to make. Its owner is whoever makes it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateApiKey {
    /// What people call it, 1 to 120 characters.
    name: String,
    /// What it may do, as far as its owner may.
    #[schema(example = json!(["leads:read"]))]
    scopes: Vec<String>,
    /// The address ranges (CIDR) that it may be used from; anywhere when empty.
    #[serde(default)]
    ip_allow: Vec<String>,
    /// When it ends: in 90 days when not given, in 365 at most.
    expires_at: Option<DateTime<Utc>>,
}

impl Validate for CreateApiKey {
    fn validate(&self, errors: &mut Errors) {
        super::check_name(&self.name, errors);
        super::check_scopes(&self.scopes, errors);
        super::check_ip_allow(&self.ip_allow, errors);
    }
}

/// Make an API key for oneself. The answer is the only one that has the key.
#[utoipa::path(
    post, path = "/api/api-keys", tag = "api-keys", security(("bearer" = ["api-keys:manage"])),
    request_body = CreateApiKey,
    responses(
        (status = 201, description = "The key, with its secret", body = ApiKeyWithSecret),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(crate) async fn create_api_key(
    State(app): State<AppState>,
    caller: Can<ApiKeysManage>,
    origin: Origin,
    Json(wanted): Json<CreateApiKey>,
) -> Result<Response, Problem> {
    super::only_people(&caller)?;
    super::may_grant(&caller, &wanted.scopes)?;
    let (sources, now) = (&app.core.sources, app.core.sources.now());
    let expires_at = super::ends(wanted.expires_at, now)?;
    let credential = Credential::new(caller.tenant(), sources.id(), &sources.rng);
    let new = NewApiKey {
        id: credential.id,
        owner: caller.user,
        name: wanted.name.trim(),
        scopes: &wanted.scopes,
        ip_allow: &wanted.ip_allow,
        secret_hash: credential.secret_hash(),
        expires_at,
        at: now,
    };
    let insert = async |tx: &mut TenantTx| {
        let key = store::insert(tx, &new).await?;
        let changes = json!({ "name": key.name, "scopes": key.scopes, "ip_allow": key.ip_allow });
        let what = (key.id, "api_key.created");
        super::changed(tx, &app, &caller, what, changes, &origin).await?;
        Ok::<_, DbError>(key)
    };
    let key = app
        .core
        .db
        .run("identity.api_keys.create", &caller.scope, insert)
        .await?;
    let secret = text::expose(&credential, app.config.key_environment);
    Ok(ApiKeyWithSecret::new(key, &secret).with_status(StatusCode::CREATED))
}
