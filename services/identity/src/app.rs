//! The state that handlers share, and the list of routes.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef},
    routing::post,
};
use bz_auth::Verifier;
use bz_kernel::{ServiceInfo, platform};
use bz_service::{App, Core, Service};
use bz_tenant::Db;
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    config::IdentityConfig,
    guests, invitations, jobs,
    keys::{self, KeyRing},
    oauth,
    passwords::Passwords,
    registration::register,
    sessions::{login, logout, refresh},
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
}

impl AppState {
    /// Tells the siblings that there are new events, after they were committed.
    pub(crate) fn wake(&self) {
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
    };
    let jobs = jobs::all(&state);
    let app = App::new(router(state));
    Ok(jobs.into_iter().fold(app, App::with_job))
}

fn router(state: AppState) -> Router {
    let (public, _) = public_routes().split_for_parts();
    public
        .merge(bz_events::feed_routes())
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
        .routes(routes!(users::me::get_me))
        .routes(routes!(
            tenants::create::create_tenant,
            tenants::list::list_tenants
        ))
        .routes(routes!(
            tenants::get::get_tenant,
            tenants::update::patch_tenant,
            tenants::delete::delete_tenant
        ))
        .routes(routes!(
            tenants::policy::get::get_tenant_policy,
            tenants::policy::put::put_tenant_policy
        ))
        .merge(guests::routes())
        .merge(invitations::routes())
        .routes(routes!(keys::jwks::get_jwks))
}
