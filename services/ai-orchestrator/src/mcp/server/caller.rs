//! Who calls, and what they are told when they may not.

use axum::extract::FromRequestParts;
use bz_auth::{Caller, Can, Permission};
use bz_http::Problem;
use http::{HeaderValue, StatusCode, header, request::Parts};
use url::Url;

use crate::{app::AppState, tools::ToolsRead};

/// Where the server is.
pub(super) const PATH: &str = "/mcp";
/// Where a client reads how to get a token (RFC 9728).
pub(super) const METADATA: &str = "/.well-known/oauth-protected-resource";

/// A user who may see the tools. Unlike [`Can`] it refuses web pages of strange origins, and tells who has no token where to
/// get one, as the protocol wants it.
#[derive(Debug)]
pub(super) struct McpCaller {
    /// The user.
    pub user: Caller,
    /// Where it is told how to get a token.
    metadata: String,
}

impl FromRequestParts<AppState> for McpCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        if let Some(origin) = parts.headers.get(header::ORIGIN)
            && !origin.to_str().is_ok_and(|one| app.mcp_origins.admit(one))
        {
            let problem = Problem::new(
                StatusCode::FORBIDDEN,
                "origin_not_allowed",
                "Web pages of this origin may not call",
            );
            return Err(problem.detail("An administrator lists origins in MCP_ALLOWED_ORIGINS."));
        }
        let metadata = format!("{}{METADATA}{PATH}", base(parts, &app.core.issuer));
        let sent = parts.headers.contains_key(header::AUTHORIZATION);
        match Can::<ToolsRead>::from_request_parts(parts, app).await {
            Ok(caller) => Ok(Self {
                user: caller.into_caller(),
                metadata,
            }),
            Err(problem) => Err(challenged(problem, sent, &metadata)),
        }
    }
}

impl McpCaller {
    /// The token was good a moment ago, but not for the service behind the tool.
    pub(super) fn expired(&self) -> Problem {
        let problem = Problem::unauthenticated()
            .detail("The access token is not accepted any more. Refresh it.");
        challenged(problem, true, &self.metadata)
    }
}

/// The same problem, with where to read how to get a token.
fn challenged(problem: Problem, sent: bool, metadata: &str) -> Problem {
    let challenge = match problem.code() {
        "unauthenticated" if sent => r#"Bearer error="invalid_token", "#.to_owned(),
        "unauthenticated" => "Bearer ".to_owned(),
        "forbidden" if sent => {
            let scope = ToolsRead::NAME;
            format!(r#"Bearer error="insufficient_scope", scope="{scope}", "#)
        }
        _ => return problem,
    };
    let challenge = format!(r#"{challenge}resource_metadata="{metadata}""#);
    match HeaderValue::try_from(challenge) {
        Ok(challenge) => problem.header(header::WWW_AUTHENTICATE, challenge),
        Err(_) => problem,
    }
}

/// The address by which the client reached the service: its host, and the scheme of the installation's issuer, because the
/// service itself stands behind what ends TLS.
pub(super) fn base(parts: &Parts, issuer: &str) -> String {
    let host = parts.headers.get(header::HOST).map(HeaderValue::to_str);
    let host = host.and_then(Result::ok).or(parts.uri.host());
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".-:[]_".contains(&b);
    let host = host.filter(|host| !host.is_empty() && host.bytes().all(plain));
    let scheme = Url::parse(issuer).map_or("https".to_owned(), |url| url.scheme().to_owned());
    match host {
        Some(host) => format!("{scheme}://{host}"),
        None => issuer.trim_end_matches('/').to_owned(),
    }
}
