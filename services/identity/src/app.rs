//! The state that handlers share, and the list of routes.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef},
    routing::{get, post},
};
use bz_auth::Verifier;
use bz_kernel::{ServiceInfo, platform};
use bz_service::{App, Core, Service};
use bz_tenant::Db;
use tokio::sync::Notify;
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api_keys,
    config::IdentityConfig,
    jobs,
    keys::{self, KeyRing},
    oauth,
    passwords::Passwords,
    registration::register,
    revocations, service_accounts,
    sessions::{list, login, logout, reauthenticate, refresh, revoke, revoke_all},
    tenants, users,
};

/// The most that a request to this service has reason to send, in bytes.
const BODY_LIMIT: usize = 16 * 1024;

const DESCRIPTION: &str =
    "Tenants, users, sessions and the access tokens that the other services accept.";

/// What handlers share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AppState {
    /// What every service holds.
    pub(crate) core: Core,
    /// The configuration of this service.
    pub(crate) config: Arc<IdentityConfig>,
    /// Hashes and verifies passwords.
    pub(crate) passwords: Passwords,
    /// Signs tokens.
    pub(crate) keys: KeyRing,
    /// Wakes this process's own follower of revocations.
    pub(crate) changed: Arc<Notify>,
}

impl AppState {
    /// Tells the siblings, and this process itself, that there are new events or revocations, after they were committed.
    pub(crate) fn wake(&self) {
        self.changed.notify_one();
        bz_events::wake(&self.core.redis, self.core.info.schema);
    }
}

impl FromRef<AppState> for Verifier {
    fn from_ref(app: &AppState) -> Self {
        app.core.verifier.clone()
    }
}

impl FromRef<AppState> for Db {
    fn from_ref(app: &AppState) -> Self {
        app.core.db.clone()
    }
}

/// The service of tenants, users, sessions and tokens.
pub struct Identity;

impl Service for Identity {
    const INFO: &'static ServiceInfo = &platform::IDENTITY;
    type Config = IdentityConfig;

    fn openapi() -> OpenApi {
        public_routes().into_openapi()
    }

    async fn build(core: Core, config: IdentityConfig) -> anyhow::Result<App> {
        let passwords = Passwords::new(core.sources.rng.clone(), config.password_threads);
        build_with(core, config, passwords).await
    }
}

/// Puts the service together around a hasher that the caller keeps a handle of.
///
/// # Errors
/// When the signing keys cannot be read or made.
pub async fn build_with(
    core: Core,
    config: IdentityConfig,
    passwords: Passwords,
) -> anyhow::Result<App> {
    let keys = KeyRing::load(core.clone()).await?;
    let state = AppState {
        core,
        config: Arc::new(config),
        passwords,
        keys,
        changed: Arc::default(),
    };
    api_keys::verify::install(&state);
    let mut jobs = jobs::all(&state);
    jobs.push(revocations::feed::follow(&state).await?);
    let app = App::new(router(state));
    Ok(jobs.into_iter().fold(app, App::with_job))
}

fn router(state: AppState) -> Router {
    let (public, _) = public_routes().split_for_parts();
    public
        .merge(bz_events::feed_routes())
        .route(
            "/internal/api-keys/verify",
            post(api_keys::verify::verify_api_key),
        )
        .route(
            "/internal/revocations",
            get(revocations::feed::list_revocations),
        )
        .route("/oauth2/token", post(oauth::token::create_token))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(state)
}

fn public_routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(bz_http::openapi::base(&platform::IDENTITY, DESCRIPTION))
        .routes(routes!(register::register_user))
        .routes(routes!(register::sign_up))
        .routes(routes!(login::login))
        .routes(routes!(refresh::refresh_session))
        .routes(routes!(logout::logout))
        .routes(routes!(list::list_sessions, revoke_all::revoke_sessions))
        .routes(routes!(revoke::revoke_session))
        .routes(routes!(reauthenticate::reauthenticate))
        .routes(routes!(users::me::get_me))
        .routes(routes!(tenants::get::get_tenant))
        .routes(routes!(
            api_keys::list::list_api_keys,
            api_keys::create::create_api_key
        ))
        .routes(routes!(
            api_keys::get::get_api_key,
            api_keys::patch::patch_api_key,
            api_keys::delete::delete_api_key
        ))
        .routes(routes!(api_keys::rotate::rotate_api_key))
        .routes(routes!(
            service_accounts::list::list_service_accounts,
            service_accounts::create::create_service_account
        ))
        .routes(routes!(
            service_accounts::get::get_service_account,
            service_accounts::patch::patch_service_account,
            service_accounts::delete::delete_service_account
        ))
        .routes(routes!(
            service_accounts::create_secret::create_service_account_secret
        ))
        .routes(routes!(
            service_accounts::delete_secret::delete_service_account_secret
        ))
        .routes(routes!(keys::jwks::get_jwks))
}
