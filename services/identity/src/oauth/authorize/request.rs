//! What an application asks for, checked.

use std::net::IpAddr;

use axum::response::Response;
use bz_kernel::{TenantId, UserId};
use bz_tenant::{DbError, TenantScope};
use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    app::AppState,
    oauth::{
        browser::Browser,
        pages::{self, PageError, texts},
        params::{Duplicate, Params, with_query},
        scopes,
    },
    oauth_clients::{GrantType, OauthClient, secret, store},
};

/// The parameters that go through the pages.
const KEPT: [&str; 14] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "prompt",
    "max_age",
    "login_hint",
    "id_token_hint",
    "ui_locales",
    "code_challenge",
    "code_challenge_method",
];
/// The longest text that is kept for an application.
const LONGEST: usize = 1024;

/// What the user is to be asked again, whatever they said before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Prompt {
    /// Nothing: there is nobody to ask.
    pub(super) none: bool,
    /// Who they are.
    pub(super) login: bool,
    /// Whether they allow it.
    pub(super) consent: bool,
}

/// A request of a known client for an address that is registered for it.
pub(super) struct AuthorizationRequest {
    pub(super) tenant: TenantId,
    pub(super) client: OauthClient,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) nonce: Option<String>,
    pub(super) prompt: Prompt,
    pub(super) login_hint: Option<String>,
    pub(super) ui_locales: Option<String>,
    pub(super) code_challenge: String,
    /// The request as it was sent, to come back to it.
    pub(super) params: Params,
    max_age: Option<i64>,
    hinted_user: Option<UserId>,
}

/// Why a request is not followed.
pub(super) enum Rejected {
    /// Shown to the user: there is no address to send an error to.
    Page(PageError),
    /// Sent back to the application.
    Back(String),
}

impl Rejected {
    pub(super) fn respond(self, headers: &HeaderMap, params: &Params) -> Response {
        match self {
            Self::Page(error) => {
                pages::error(texts::of(headers, params.field("ui_locales")), error)
            }
            Self::Back(location) => pages::see_other(&location),
        }
    }
}

/// An error that the application is told (RFC 6749 section 4.1.2.1).
struct Fault(&'static str, &'static str);

impl From<Duplicate> for Fault {
    fn from(_: Duplicate) -> Self {
        Self("invalid_request", "A parameter is there more than once.")
    }
}

impl AuthorizationRequest {
    /// Checks a request: first whom it is from, so that it is known where an answer may go.
    pub(super) async fn read(
        app: &AppState,
        params: &Params,
    ) -> Result<Result<Self, Rejected>, DbError> {
        let (Ok(client_id), Ok(redirect_uri)) =
            (params.get("client_id"), params.get("redirect_uri"))
        else {
            return Ok(Err(Rejected::Page(PageError::BadRequest)));
        };
        let Some((tenant, id)) = client_id.and_then(secret::parse_client_id) else {
            return Ok(Err(Rejected::Page(PageError::UnknownClient)));
        };
        let mut tx = app.core.db.read(&TenantScope::new(tenant, None)).await?;
        let Some(client) = store::find(&mut tx, id).await? else {
            return Ok(Err(Rejected::Page(PageError::UnknownClient)));
        };
        let is_registered = |uri: &&str| client.redirect_uris.iter().any(|known| known == uri);
        let Some(redirect_uri) = redirect_uri.filter(is_registered).map(str::to_owned) else {
            return Ok(Err(Rejected::Page(PageError::BadRedirect)));
        };
        let state = params.get("state").ok().flatten().map(str::to_owned);
        let back = |Fault(error, description)| {
            let fault = [("error", error), ("error_description", description)];
            Rejected::Back(location(app, &redirect_uri, state.as_deref(), &fault))
        };
        Ok(Self::checked(app, params, tenant, client, &redirect_uri).map_err(back))
    }

    fn checked(
        app: &AppState,
        params: &Params,
        tenant: TenantId,
        client: OauthClient,
        redirect_uri: &str,
    ) -> Result<Self, Fault> {
        check_form(params)?;
        if !client.grant_types.contains(&GrantType::AuthorizationCode) {
            let why = "The client is not registered for codes.";
            return Err(Fault("unauthorized_client", why));
        }
        Ok(Self {
            tenant,
            redirect_uri: redirect_uri.to_owned(),
            state: short(params, "state")?,
            scopes: wanted_scopes(params, &client)?,
            nonce: short(params, "nonce")?,
            prompt: prompt(params)?,
            login_hint: short(params, "login_hint")?,
            ui_locales: short(params, "ui_locales")?,
            code_challenge: code_challenge(params)?,
            max_age: max_age(params)?,
            hinted_user: hinted_user(app, params)?,
            params: params.only(&KEPT),
            client,
        })
    }

    /// Whether a login is good enough for this request and for the tenant's policy as it is now.
    pub(super) fn accepts(
        &self,
        browser: &Browser,
        ip: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> bool {
        let age = (now - browser.auth_time).num_seconds();
        !self.prompt.login
            && browser.account.policy.is_met_by(&browser.acr)
            && browser.account.policy.takes_network(ip)
            && self.max_age.is_none_or(|most| age <= most)
            && self
                .hinted_user
                .is_none_or(|user| user == browser.account.user)
    }

    /// Sends the browser back with an answer.
    pub(super) fn answer(&self, app: &AppState, answer: &[(&str, &str)]) -> Response {
        let state = self.state.as_deref();
        pages::see_other(&location(app, &self.redirect_uri, state, answer))
    }

    /// Sends the browser back with an error.
    pub(super) fn refuse(&self, app: &AppState, error: &str, description: &str) -> Response {
        self.answer(app, &[("error", error), ("error_description", description)])
    }

    /// Where this request goes on after a login: without what asked for one, which has just been done.
    pub(super) fn after_login(&self) -> String {
        let keep = |prompt: &str| {
            let left = prompt
                .split(' ')
                .filter(|word| !matches!(*word, "login" | "select_account"));
            left.collect::<Vec<_>>().join(" ")
        };
        let params = self
            .params
            .with("prompt", keep)
            .with("max_age", |_| String::new())
            .with("id_token_hint", |_| String::new());
        format!("/oauth2/authorize?{}", params.to_query())
    }

    /// Where this request goes on with a login as somebody else.
    pub(super) fn with_other_account(&self) -> String {
        let params = self.params.with("prompt", |_| String::new());
        format!("/oauth2/authorize?{}&prompt=login", params.to_query())
    }
}

/// RFC 6749 section 4.1.2 and RFC 9207: every answer names its issuer.
fn location(
    app: &AppState,
    redirect_uri: &str,
    state: Option<&str>,
    answer: &[(&str, &str)],
) -> String {
    let mut params = answer.to_vec();
    params.extend(state.map(|state| ("state", state)));
    params.push(("iss", &app.core.issuer));
    with_query(redirect_uri, &params)
}

/// Whether it asks for a code, in the query, by plain parameters.
fn check_form(params: &Params) -> Result<(), Fault> {
    if params.get("request")?.is_some() {
        return Err(Fault(
            "request_not_supported",
            "Request objects are not supported.",
        ));
    }
    if params.get("request_uri")?.is_some() {
        return Err(Fault(
            "request_uri_not_supported",
            "Request objects are not supported.",
        ));
    }
    match params.get("response_type")? {
        Some("code") => {}
        Some(_) => {
            let why = "Only response_type=code is supported.";
            return Err(Fault("unsupported_response_type", why));
        }
        None => return Err(Fault("invalid_request", "response_type is missing.")),
    }
    match params.get("response_mode")? {
        None | Some("query") => Ok(()),
        Some(_) => {
            let why = "Only response_mode=query is supported.";
            Err(Fault("invalid_request", why))
        }
    }
}

fn short(params: &Params, name: &'static str) -> Result<Option<String>, Fault> {
    match params.get(name)? {
        Some(text) if text.len() > LONGEST => {
            Err(Fault("invalid_request", "A parameter is too long."))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

/// Scopes that nobody knows are left out (OpenID Connect Core 1.0 section 3.1.2.1); those that the client is not registered
/// for are refused.
fn wanted_scopes(params: &Params, client: &OauthClient) -> Result<Vec<String>, Fault> {
    let mut wanted = scopes::parse(params.get("scope")?.unwrap_or_default());
    wanted.retain(|name| scopes::is_known(name));
    if wanted.is_empty() {
        return Err(Fault("invalid_scope", "No scope was asked for."));
    }
    if wanted
        .iter()
        .any(|name| !client.allowed_scopes.contains(name))
    {
        let why = "The client is not registered for one of the scopes.";
        return Err(Fault("invalid_scope", why));
    }
    Ok(wanted)
}

fn prompt(params: &Params) -> Result<Prompt, Fault> {
    let mut prompt = Prompt::default();
    for word in params.get("prompt")?.unwrap_or_default().split(' ') {
        match word {
            "" => {}
            "none" => prompt.none = true,
            "login" | "select_account" => prompt.login = true,
            "consent" => prompt.consent = true,
            _ => return Err(Fault("invalid_request", "The prompt is not known.")),
        }
    }
    if prompt.none && (prompt.login || prompt.consent) {
        let why = "prompt=none cannot stand with others.";
        return Err(Fault("invalid_request", why));
    }
    Ok(prompt)
}

fn max_age(params: &Params) -> Result<Option<i64>, Fault> {
    let bad = || Fault("invalid_request", "max_age must be a number of seconds.");
    match params.get("max_age")? {
        None => Ok(None),
        // Longer than anybody is logged in is any age.
        Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => {
            Ok(Some(text.parse().unwrap_or(i64::MAX)))
        }
        Some(_) => Err(bad()),
    }
}

/// RFC 7636, `S256` only: `plain` would let whoever sees the request redeem the code.
fn code_challenge(params: &Params) -> Result<String, Fault> {
    let Some(challenge) = params.get("code_challenge")? else {
        let why = "code_challenge is missing: every client needs PKCE.";
        return Err(Fault("invalid_request", why));
    };
    if params.get("code_challenge_method")? != Some("S256") {
        let why = "code_challenge_method must be S256.";
        return Err(Fault("invalid_request", why));
    }
    let is_base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if challenge.len() != 43 || !challenge.bytes().all(is_base64url) {
        let why = "code_challenge must be the base64url of a SHA-256.";
        return Err(Fault("invalid_request", why));
    }
    Ok(challenge.to_owned())
}

/// Whom an ID token names that we signed some time; nobody, when it cannot be read.
fn hinted_user(app: &AppState, params: &Params) -> Result<Option<UserId>, Fault> {
    #[derive(Deserialize)]
    struct Hint {
        sub: UserId,
    }
    let keys = app.keys.current();
    let read = |text| keys.read_hint::<Hint>(text, &app.core.issuer);
    let hint = params.get("id_token_hint")?.map(read);
    Ok(hint.map(|hint| hint.map_or(UserId::from_uuid(Uuid::nil()), |hint| hint.sub)))
}
