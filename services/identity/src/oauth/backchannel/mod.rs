//! OpenID Connect Back-Channel Logout 1.0: applications are told that a session of theirs, or the login that it came from,
//! has ended. What is to be told is written down in the transaction of the end, and told until the application answers.

mod job;
mod store;

use bz_auth::mint::KeyError;
use bz_kernel::{ExposeSecret, SecretString};
use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use self::store::Claimed;
pub(crate) use self::{job::job, store::queue};
use crate::{
    app::AppState,
    oauth_clients::{OauthClient, secret},
};

/// The event that a logout token is about (section 2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// So that nobody takes it for an ID token (section 2.4, RFC 8725 section 3.11).
const TOKEN_TYPE: &str = "logout+jwt";
/// How long a logout token is good: the two minutes that the specification recommends at most.
const LIFETIME: TimeDelta = TimeDelta::minutes(2);

/// The form of one call: a new token for each attempt.
async fn form(app: &AppState, client: &OauthClient, ended: &Claimed) -> Result<String, KeyError> {
    let key = app.keys.id_token_key().await.map_err(|error| {
        tracing::error!(
            error = format!("{error:#}"),
            "there is no key for logout tokens"
        );
        KeyError::Rejected
    })?;
    let (sources, now) = (&app.core.sources, app.core.sources.now());
    let claims = json!({
        "iss": app.core.issuer,
        "aud": secret::client_id(ended.tenant, client.id),
        "sub": ended.user,
        "sid": ended.session,
        "iat": now.timestamp(),
        "exp": (now + LIFETIME).timestamp(),
        "jti": sources.id::<Uuid>(),
        "events": { EVENT: {} },
    });
    let token: SecretString = key.sign_as(TOKEN_TYPE, &claims)?;
    Ok(url::form_urlencoded::Serializer::new(String::new())
        .append_pair("logout_token", token.expose_secret())
        .finish())
}
