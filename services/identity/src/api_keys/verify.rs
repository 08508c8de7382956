//! What a key is good for: for the services, which ask `POST /internal/api-keys/verify`, and for identity itself.

use std::sync::Arc;

use axum::extract::State;
use bz_auth::{
    AuthError, Claims, Permissions, Service,
    api_key::{Exchanged, GRANT_SECONDS, KeyGrant},
    claims::KeyOwner,
};
use bz_events::EventsRead;
use bz_http::{Errors, Json, Problem, Validate};
use bz_kernel::{ExposeSecret, SecretString, Sources};
use bz_tenant::{Db, DbError, TenantScope};
use chrono::TimeDelta;
use serde::Deserialize;

use super::{store, text};
use crate::{
    app::AppState,
    users::{self, store::Account},
};

/// A key to look at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyRequest {
    key: String,
}

impl Validate for VerifyRequest {
    fn validate(&self, _: &mut Errors) {}
}

/// `POST /internal/api-keys/verify`: 404 for a key that is not good, for whatever reason.
pub(crate) async fn verify_api_key(
    State(app): State<AppState>,
    _caller: Service<EventsRead>,
    Json(request): Json<VerifyRequest>,
) -> Result<Json<KeyGrant>, Problem> {
    let desk = Desk::of(&app);
    let grant = desk.grant(&request.key.into()).await?;
    grant.map(Json).ok_or_else(Problem::not_found)
}

/// Lets identity itself accept keys.
pub(crate) fn install(app: &AppState) {
    let desk = Arc::new(Desk::of(app));
    let exchange = move |key: SecretString| -> Exchanged {
        let desk = Arc::clone(&desk);
        Box::pin(async move {
            match desk.grant(&key).await {
                Ok(grant) => grant.ok_or(AuthError::Invalid("API key")),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "an API key could not be looked up");
                    Err(AuthError::KeysUnavailable)
                }
            }
        })
    };
    app.core.verifier.accept_api_keys(Arc::new(exchange));
}

/// What verification needs. Not the whole state: the verifier keeps this, and the state keeps the verifier.
struct Desk {
    db: Db,
    sources: Sources,
    issuer: String,
    environment: &'static str,
}

impl Desk {
    fn of(app: &AppState) -> Self {
        Self {
            db: app.core.db.clone(),
            sources: app.core.sources.clone(),
            issuer: app.core.issuer.clone(),
            environment: app.config.key_environment,
        }
    }

    async fn grant(&self, key: &SecretString) -> Result<Option<KeyGrant>, DbError> {
        let Some(credential) = text::parse(key.expose_secret(), self.environment) else {
            return Ok(None);
        };
        let now = self.sources.now();
        let scope = TenantScope::new(credential.tenant, None);
        let mut tx = self.db.tenant(&scope).await?;
        // Made before the rights are read: a revocation from here on is later than these claims.
        let id = self.sources.id();
        let stored = store::stored(&mut tx, credential.id).await?;
        let good =
            stored.filter(|key| credential.matches(&key.secret_hash) && key.expires_at > now);
        let Some(key) = good else {
            return Ok(None);
        };
        let owner = users::store::find(&mut tx, key.owner_id.into()).await?;
        let Some(owner) = owner.filter(Account::is_active) else {
            return Ok(None);
        };
        if key
            .last_used_at
            .is_none_or(|at| now - at >= TimeDelta::minutes(1))
        {
            store::used(&mut tx, credential.id, now).await?;
            tx.commit().await?;
        }
        let permissions = Permissions::of_roles(&owner.roles).with(&owner.entitlements);
        let scopes = key
            .scopes
            .iter()
            .flat_map(|scope| super::effective(&permissions, scope));
        let ends = (now + TimeDelta::seconds(GRANT_SECONDS)).min(key.expires_at);
        let owner = KeyOwner {
            user: owner.user,
            tenant: credential.tenant,
            key: credential.id,
            permissions: scopes.collect(),
        };
        Ok(Some(KeyGrant {
            claims: Claims::of_api_key(&self.issuer, owner, id, now, ends - now),
            ip_allow: key
                .ip_allow
                .iter()
                .filter_map(|range| range.parse().ok())
                .collect(),
        }))
    }
}
