//! Where a request comes from, for sessions and the audit log.

use std::{convert::Infallible, net::IpAddr};

use axum::extract::FromRequestParts;
use bz_http::{ClientIp, context};
use http::{HeaderMap, header, request::Parts};

/// The longest user agent that is kept, in characters.
const MOST_USER_AGENT_CHARACTERS: usize = 300;

/// Where a request comes from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    /// The client's address, if the server knows it.
    pub(crate) ip: Option<IpAddr>,
    /// What the client calls itself, cut to a bearable length.
    pub(crate) user_agent: Option<String>,
    /// The request's id.
    pub(crate) request_id: Option<String>,
}

impl Origin {
    /// Where a request comes from that is not taken apart yet.
    pub(crate) fn of<B>(request: &http::Request<B>) -> Self {
        Self::read(request.headers(), request.extensions())
    }

    fn read(headers: &HeaderMap, extensions: &http::Extensions) -> Self {
        let user_agent = headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok());
        Self {
            ip: extensions.get::<ClientIp>().map(|client| client.0),
            user_agent: user_agent
                .map(|text| text.chars().take(MOST_USER_AGENT_CHARACTERS).collect()),
            request_id: context::current().map(|request| request.request_id),
        }
    }

    /// The address as it is stored.
    pub(crate) fn ip_text(&self) -> Option<String> {
        self.ip.map(|ip| ip.to_string())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::read(&parts.headers, &parts.extensions))
    }
}
