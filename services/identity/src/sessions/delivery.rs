//! How a refresh token reaches its client: in the body, or in a cookie that no script reads.

use axum::{
    extract::{FromRequest, Request},
    response::Response,
};
use bz_http::{Json, Problem, Validate};
use chrono::TimeDelta;
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::ToSchema;

use super::TokenAnswer;
use crate::{app::AppState, cookies, csrf};

/// A name that a browser accepts from this host only, over TLS only, for all paths.
const COOKIE: &str = "__Host-rt";

/// Where the refresh token is put.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TokenDelivery {
    /// In the answer's body.
    #[default]
    Body,
    /// In a cookie, for pages of the origins that `COOKIE_ORIGINS` lists.
    Cookie,
}

impl TokenAnswer {
    /// The answer, with the refresh token where the client wants it.
    pub(crate) fn deliver(mut self, status: StatusCode, delivery: TokenDelivery) -> Response {
        let cookie = match delivery {
            TokenDelivery::Body => None,
            TokenDelivery::Cookie => self.refresh_token.take(),
        };
        let lifetime = TimeDelta::seconds(self.refresh_expires_in);
        let mut response = self.with_status(status);
        if let Some(token) = cookie {
            let cookie = cookies::set(COOKIE, &token, lifetime);
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}

/// The refresh token of a request: the one in its body, else the one in its cookie.
///
/// # Errors
/// 403 when the cookie would speak for a page that is not ours.
pub(super) fn presented(
    app: &AppState,
    headers: &HeaderMap,
    in_body: Option<String>,
) -> Result<Option<(String, TokenDelivery)>, Problem> {
    if let Some(token) = in_body {
        return Ok(Some((token, TokenDelivery::Body)));
    }
    let Some(token) = cookies::get(headers, COOKIE) else {
        return Ok(None);
    };
    csrf::check(app, headers)?;
    Ok(Some((token.to_owned(), TokenDelivery::Cookie)))
}

/// Removes the cookie from a client that has it.
pub(super) fn forget(headers: &HeaderMap, response: &mut Response) {
    if cookies::get(headers, COOKIE).is_some() {
        let cookie = cookies::clear(COOKIE);
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// A JSON body, or none.
pub(crate) struct OptionalJson<T>(pub(crate) T);

impl<T, S> FromRequest<S> for OptionalJson<T>
where
    T: DeserializeOwned + Validate + Default,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let headers = request.headers();
        let is_empty = headers
            .get(header::CONTENT_LENGTH)
            .is_some_and(|length| length == "0");
        if is_empty || !headers.contains_key(header::CONTENT_TYPE) {
            return Ok(Self(T::default()));
        }
        Json::<T>::from_request(request, state)
            .await
            .map(|Json(request)| Self(request))
    }
}
