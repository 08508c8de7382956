//! The answer to a right password of a user who has a second factor.

use axum::response::{IntoResponse, Response};
use bz_http::Json;
use bz_kernel::ExposeSecret;
use bz_tenant::{DbError, TenantTx};
use chrono::TimeDelta;
use http::{HeaderValue, header};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Method, store};
use crate::{app::AppState, credential::Credential, sessions::issue::NewSession, users};

/// What a challenge's token starts with.
pub(crate) const PREFIX: &str = "mf1.";
/// How long the second factor may take.
const LIFETIME: TimeDelta = TimeDelta::minutes(5);

/// The password was right; a second factor is needed.
#[derive(Serialize, ToSchema)]
pub(crate) struct MfaRequired {
    /// `mfa_required`.
    status: &'static str,
    /// For `POST /auth/mfa/verify`.
    mfa_token: String,
    /// What the user may give.
    methods: Vec<Method>,
    /// Seconds until the login has to start again.
    expires_in: i64,
}

impl MfaRequired {
    /// For `POST /auth/mfa/verify`.
    pub(crate) fn token(&self) -> &str {
        &self.mfa_token
    }
}

impl IntoResponse for MfaRequired {
    fn into_response(self) -> Response {
        let mut response = Json(self).into_response();
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// Stores the challenge in the place of the session that a login without second factor would start.
pub(crate) async fn create(
    tx: &mut TenantTx,
    app: &AppState,
    session: &NewSession<'_>,
) -> Result<MfaRequired, DbError> {
    users::store::hold(tx, session.user).await?;
    let (sources, now) = (&app.core.sources, app.core.sources.now());
    let token = Credential::new(tx.scope().tenant(), sources.id::<Uuid>(), &sources.rng);
    let challenge = store::Challenge {
        user_id: session.user.as_uuid(),
        secret_hash: token.secret_hash(),
        attempts: 0,
        remember: session.remember,
        device_name: session.device_name.map(ToOwned::to_owned),
        created_at: now,
        expires_at: now + LIFETIME,
    };
    store::insert_challenge(tx, token.id, &challenge).await?;
    Ok(MfaRequired {
        status: "mfa_required",
        mfa_token: token.expose(PREFIX).expose_secret().to_owned(),
        methods: vec![Method::Totp, Method::RecoveryCode],
        expires_in: LIFETIME.num_seconds(),
    })
}
