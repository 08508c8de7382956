//! Sessions and the tokens that are given out in them.

pub(crate) mod attempt;
pub(crate) mod credentials;
pub(crate) mod delivery;
pub(crate) mod end;
pub(crate) mod home;
pub(crate) mod issue;
pub(crate) mod list;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod proof;
pub(crate) mod reauthenticate;
pub(crate) mod refresh;
pub(crate) mod revoke;
pub(crate) mod revoke_all;
pub(crate) mod store;
pub(crate) mod store_own;
pub(crate) mod token;

use axum::response::{IntoResponse, Response};
use bz_http::Json;
use bz_kernel::SessionId;
use chrono::TimeDelta;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{tenants::TenantSummary, users::User};

/// How long an access token is good for.
pub(crate) const ACCESS_TOKEN_LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How long a refresh token waits for its use.
pub(crate) const REFRESH_TOKEN_LIFETIME: TimeDelta = TimeDelta::days(14);
/// How long a session lasts at most, counted from the login.
pub(crate) const SESSION_LIFETIME: TimeDelta = TimeDelta::days(30);
/// The two, when the user does not want to be remembered.
pub(crate) const BRIEF_REFRESH_TOKEN_LIFETIME: TimeDelta = TimeDelta::hours(12);
pub(crate) const BRIEF_SESSION_LIFETIME: TimeDelta = TimeDelta::hours(24);
/// How long the same refresh token may be sent again and gets the same answer: lost answers, several tabs.
pub(crate) const REFRESH_REPLAY_WINDOW: TimeDelta = TimeDelta::seconds(10);
/// The client that tokens are given to: the platform's own front ends.
pub(crate) const FIRST_PARTY_CLIENT: &str = "web";

/// A pair of tokens, and for whom they are.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenAnswer {
    /// For the `Authorization` header.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds until the access token ends.
    expires_in: i64,
    /// For `POST /auth/refresh`; good once. Not there when it was put into a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// Seconds until the refresh token ends.
    refresh_expires_in: i64,
    /// The session.
    session_id: SessionId,
    /// Whether the tenant asks for a second factor that the session has not been given. The access token is then good for
    /// setting one up or giving it, and for nothing else; a refresh afterwards gives one that is good for everything.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    owes_second_factor: bool,
    /// The user.
    user: User,
    /// The tenant that the tokens are for.
    tenant: TenantSummary,
}

impl TokenAnswer {
    /// The answer, which no cache may keep (RFC 6749 section 5.1).
    pub(crate) fn with_status(self, status: StatusCode) -> Response {
        let mut response = (status, Json(self)).into_response();
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
