//! The state that handlers share, and the list of routes.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef},
    routing::{get, post},
};
use bz_auth::Verifier;
use bz_http::egress::{Egress, EgressLimits};
use bz_http::{Routes, routes};
use bz_kernel::{ServiceInfo, platform};
use bz_service::{App, Core, Service};
use bz_tenant::Db;
use tokio::sync::Notify;
use utoipa::openapi::OpenApi;

use crate::{
    account, api_keys, audit,
    config::IdentityConfig,
    guests, impersonation, invitations, jobs,
    keys::{self, KeyRing},
    limits::Limits,
    lockout::Lockout,
    mail::Mailer,
    members, mfa, oauth, oauth_clients, pages, passkeys,
    passwords::Passwords,
    registration::register,
    revocations, roles, scim, service_accounts,
    sessions::{list, login, logout, reauthenticate, refresh, revoke, revoke_all},
    tenants,
    users::{self, store::Account},
    webhooks::{self, Webhooks},
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
    /// Writes mails down, to be sent by a job.
    pub(crate) mail: Mailer,
    /// Wakes this process's own follower of revocations.
    pub(crate) changed: Arc<Notify>,
    /// Seals the secrets of webhooks, and calls their addresses.
    pub(crate) webhooks: Webhooks,
    /// How often something may be done.
    pub(crate) limits: Arc<Limits>,
    /// Who has to wait after failed logins.
    pub(crate) lockout: Arc<Lockout>,
}

impl AppState {
    /// Whether somebody who has proven who they are may have a session.
    pub(crate) fn may_log_in(&self, account: &Account) -> bool {
        let verified = account.email_verified_at.is_some();
        account.is_active() && (verified || !self.config.registration.needs_verified_email())
    }

    /// Tells the siblings, this process itself and the sender of mails that there are new events, revocations or mails,
    /// after they were committed.
    pub(crate) fn wake(&self) {
        self.mail.wake();
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
        public_routes().document(bz_http::openapi::base(Self::INFO, DESCRIPTION))
    }

    async fn build(core: Core, config: IdentityConfig) -> anyhow::Result<App> {
        let rng = core.sources.rng.clone();
        let passwords =
            Passwords::with_priority(rng, config.password_threads, config.password_priority);
        build_with(core, config, passwords).await
    }
}

/// Puts the service together around a hasher that the caller keeps a handle of.
///
/// # Errors
/// When the signing keys cannot be read or made, or the client for webhooks cannot be built.
pub async fn build_with(
    core: Core,
    config: IdentityConfig,
    passwords: Passwords,
) -> anyhow::Result<App> {
    let keys = KeyRing::load(core.clone()).await?;
    let mail = Mailer::new(
        &config.mail,
        &config.public_url,
        &core.secret,
        &core.sources.rng,
    )?;
    let probe = mail.probe();
    let egress = Egress::new(config.egress.clone(), EgressLimits::default())?;
    let webhooks = Webhooks::new(egress, &core.secret, core.sources.rng.clone());
    let state = AppState {
        mail,
        core,
        config: Arc::new(config),
        passwords,
        keys,
        changed: Arc::default(),
        webhooks,
        limits: Arc::new(Limits::new()),
        lockout: Arc::new(Lockout::new()),
    };
    api_keys::verify::install(&state);
    let mut jobs = jobs::all(&state);
    jobs.push(revocations::feed::follow(&state).await?);
    let app = App::new(router(state)).with_probe(probe);
    Ok(jobs.into_iter().fold(app, App::with_job))
}

fn router(state: AppState) -> Router {
    public_routes()
        .into_router()
        .merge(bz_events::feed_routes())
        .merge(pages::routes())
        .merge(scim::routes())
        .route(
            "/internal/api-keys/verify",
            post(api_keys::verify::verify_api_key),
        )
        .route(
            "/internal/revocations",
            get(revocations::feed::list_revocations),
        )
        .merge(oauth::routes())
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(state)
}

fn public_routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(register::register_user))
        .routes(routes!(register::sign_up))
        .routes(routes!(login::login))
        .routes(routes!(refresh::refresh_session))
        .routes(routes!(logout::logout))
        .routes(routes!(list::list_sessions, revoke_all::revoke_sessions))
        .routes(routes!(revoke::revoke_session))
        .routes(routes!(reauthenticate::reauthenticate))
        .routes(routes!(users::me::get_me))
        .routes(routes!(passkeys::list::list_passkeys))
        .routes(routes!(passkeys::rename::rename_passkey))
        .routes(routes!(passkeys::remove::remove_passkey))
        .routes(routes!(passkeys::register_options::register_options))
        .routes(routes!(passkeys::register_verify::register_verify))
        .routes(routes!(passkeys::login_options::login_options))
        .routes(routes!(passkeys::login_verify::login_verify))
        .routes(routes!(mfa::overview::get_mfa))
        .routes(routes!(mfa::verify::verify_mfa))
        .routes(routes!(mfa::totp_enrol::enrol_totp))
        .routes(routes!(mfa::totp_activate::activate_totp))
        .routes(routes!(mfa::totp_remove::remove_totp))
        .routes(routes!(mfa::recovery_codes::renew_recovery_codes))
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
        .merge(roles::routes())
        .merge(members::routes())
        .merge(users::admin::routes())
        .merge(impersonation::routes())
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
        .merge(audit::routes())
        .merge(account::routes())
        .routes(routes!(oauth::discovery::get_openid_configuration))
        .routes(routes!(oauth::discovery::get_authorization_server_metadata))
        .merge(oauth_clients::routes())
        .merge(webhooks::routes())
}
