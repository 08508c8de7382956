use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, IfMatch, Json, Path, Problem, Validate, Versioned};
use bz_tenant::TenantTx;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ApiKey, ApiKeysManage, store};
use crate::{app::AppState, origin::Origin};

/// What to change of a key; what is missing stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchApiKey {
    /// What people call it.
    name: Option<String>,
    /// What it may do.
    scopes: Option<Vec<String>>,
    /// Where it may be used from.
    ip_allow: Option<Vec<String>>,
    /// When it ends, in 365 days at most.
    expires_at: Option<DateTime<Utc>>,
}

impl Validate for PatchApiKey {
    fn validate(&self, errors: &mut Errors) {
        if let Some(name) = &self.name {
            super::check_name(name, errors);
        }
        if let Some(scopes) = &self.scopes {
            super::check_scopes(scopes, errors);
        }
        if let Some(ranges) = &self.ip_allow {
            super::check_ip_allow(ranges, errors);
        }
    }
}

/// Change an API key. Services know it within a second.
#[utoipa::path(
    patch, path = "/api/api-keys/{id}", tag = "api-keys", security(("bearer" = ["api-keys:manage"])),
    params(("id" = Uuid, Path, description = "The key"), IfMatch),
    request_body = PatchApiKey,
    responses(
        (status = 200, description = "The key as it is now", body = ApiKey,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(crate) async fn patch_api_key(
    State(app): State<AppState>,
    caller: Can<ApiKeysManage>,
    origin: Origin,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(patch): Json<PatchApiKey>,
) -> Result<Versioned<ApiKey>, Problem> {
    super::only_people(&caller)?;
    super::may_grant(&caller, patch.scopes.as_deref().unwrap_or_default())?;
    let now = app.core.sources.now();
    let change = async |tx: &mut TenantTx| {
        let mut key = store::find_for_update(tx, id)
            .await?
            .ok_or_else(Problem::not_found)?;
        if_match.check(key.version)?;
        patch.onto(&mut key, now)?;
        let key = store::update(tx, &key, now).await?;
        let changes = json!({
            "name": key.name, "scopes": key.scopes, "ip_allow": key.ip_allow, "expires_at": key.expires_at,
        });
        let what = (id, "api_key.updated");
        super::changed(tx, &app, &caller, what, changes, &origin).await?;
        Ok::<_, Problem>(key)
    };
    let key = app
        .core
        .db
        .run("identity.api_keys.patch", &caller.scope, change)
        .await?;
    app.wake();
    Ok(Versioned(key.version, key))
}

impl PatchApiKey {
    fn onto(self, key: &mut ApiKey, now: DateTime<Utc>) -> Result<(), Problem> {
        if let Some(name) = self.name {
            key.name = name.trim().to_owned();
        }
        if let Some(scopes) = self.scopes {
            key.scopes = scopes;
        }
        if let Some(ranges) = self.ip_allow {
            key.ip_allow = ranges;
        }
        if self.expires_at.is_some() {
            key.expires_at = super::ends(self.expires_at, now)?;
        }
        Ok(())
    }
}
