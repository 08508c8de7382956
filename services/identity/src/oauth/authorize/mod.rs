//! OpenID Connect Core 1.0 section 3.1.2: a browser comes from an application and goes back with a code.

pub(super) mod consent;
mod guest;
pub(super) mod login;
mod request;
pub(super) mod set_up;

use axum::{
    extract::{Request, State},
    response::Response,
};
use bz_http::Problem;
use bz_kernel::ExposeSecret;
use bz_tenant::{DbError, TenantScope, TenantTx};
use http::{HeaderMap, header};
use serde_json::json;

use self::request::AuthorizationRequest;
use super::{
    browser::{self, Browser, FormKey},
    codes::{self, Code},
    consents,
    pages::{self, Refusal, texts},
    params::Params,
};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    credential::Credential,
    origin::Origin,
};

/// `GET` and `POST /oauth2/authorize`.
pub(super) async fn authorize(
    State(app): State<AppState>,
    headers: HeaderMap,
    origin: Origin,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request).await?;
    match AuthorizationRequest::read(&app, &params).await? {
        Ok(request) => proceed(&app, &headers, &origin, &request).await,
        Err(rejected) => Ok(rejected.respond(&headers, &params)),
    }
}

/// Asks for what is missing, a login or the user's leave; sends the browser back when nothing is.
async fn proceed(
    app: &AppState,
    headers: &HeaderMap,
    origin: &Origin,
    request: &AuthorizationRequest,
) -> Result<Response, Problem> {
    let browser = browser::find(app, headers, request.tenant).await?;
    let now = app.core.sources.now();
    let Some(browser) = browser.filter(|browser| request.accepts(browser, origin.ip, now)) else {
        return Ok(if request.prompt.none {
            request.refuse(app, "login_required", "Nobody is logged in.")
        } else {
            login_page(app, headers, request, None, None)
        });
    };
    let scope = TenantScope::new(request.tenant, Some(browser.account.user));
    let mut tx = app.core.db.read(&scope).await?;
    let allowed = consents::find(&mut tx, browser.account.user, request.client.id).await?;
    drop(tx);
    let is_allowed = request.scopes.iter().all(|scope| allowed.contains(scope));
    if is_allowed && !request.prompt.consent {
        return issue_code(app, origin, request, &browser, false).await;
    }
    if request.prompt.none {
        let why = "The user has not allowed this.";
        return Ok(request.refuse(app, "consent_required", why));
    }
    Ok(consent_page(app, headers, request, &browser))
}

/// Sends the browser back with a code, after it was noted that the user allowed what is asked for, if they just did.
async fn issue_code(
    app: &AppState,
    origin: &Origin,
    request: &AuthorizationRequest,
    browser: &Browser,
    just_allowed: bool,
) -> Result<Response, Problem> {
    let (sources, user) = (&app.core.sources, browser.account.user);
    let credential = Credential::new(request.tenant, sources.id(), &sources.rng);
    let code = Code {
        client: request.client.id,
        user,
        redirect_uri: request.redirect_uri.clone(),
        scopes: request.scopes.clone(),
        nonce: request.nonce.clone(),
        code_challenge: request.code_challenge.clone(),
        auth_time: browser.auth_time,
        acr: browser.acr.clone(),
        amr: browser.amr.clone(),
        login: browser.session,
    };
    let store = async |tx: &mut TenantTx| {
        let now = sources.now();
        codes::insert(tx, &credential, now, &code).await?;
        if just_allowed {
            consents::allow(tx, user, code.client, &code.scopes, now).await?;
            let entry = Entry {
                actor: Actor::User(user),
                action: "oauth_consent.granted",
                target: Some(("oauth_client", code.client.as_uuid())),
                success: true,
                changes: json!({ "scopes": code.scopes }),
                origin,
            };
            audit::record(tx, sources, entry).await?;
        }
        Ok(())
    };
    let scope = TenantScope::new(request.tenant, Some(user));
    let db = &app.core.db;
    db.run::<_, DbError>("identity.authorization_codes.issue", &scope, store)
        .await?;
    let text = credential.expose(codes::PREFIX);
    Ok(request.answer(app, &[("code", text.expose_secret())]))
}

fn login_page(
    app: &AppState,
    headers: &HeaderMap,
    request: &AuthorizationRequest,
    email: Option<&str>,
    refusal: Option<Refusal>,
) -> Response {
    let form = FormKey::of(app, headers);
    let texts = texts::of(headers, request.ui_locales.as_deref());
    let page = pages::Login {
        client: &request.client.name,
        redirect_uri: &request.redirect_uri,
        params: &request.params,
        csrf: &form.token(app, None),
        email: email.or(request.login_hint.as_deref()).unwrap_or_default(),
        refusal,
    };
    with_form_cookie(app, &form, pages::login(texts, &page))
}

fn code_page(
    app: &AppState,
    headers: &HeaderMap,
    request: &AuthorizationRequest,
    mfa_token: &str,
    refusal: Option<Refusal>,
) -> Response {
    let form = FormKey::of(app, headers);
    let texts = texts::of(headers, request.ui_locales.as_deref());
    let page = pages::Code {
        client: &request.client.name,
        redirect_uri: &request.redirect_uri,
        params: &request.params,
        other_account: &request.with_other_account(),
        csrf: &form.token(app, None),
        mfa_token,
        refusal,
    };
    with_form_cookie(app, &form, pages::code(texts, &page))
}

fn consent_page(
    app: &AppState,
    headers: &HeaderMap,
    request: &AuthorizationRequest,
    browser: &Browser,
) -> Response {
    let form = FormKey::of(app, headers);
    let texts = texts::of(headers, request.ui_locales.as_deref());
    let page = pages::Consent {
        client: &request.client.name,
        redirect_uri: &request.redirect_uri,
        scopes: &request.scopes,
        email: &browser.account.email,
        other_account: &request.with_other_account(),
        params: &request.params,
        csrf: &form.token(app, Some(browser)),
    };
    with_form_cookie(app, &form, pages::consent(texts, &page))
}

/// Sets the cookie that the forms of a page are bound to.
pub(super) fn with_form_cookie(app: &AppState, form: &FormKey, mut page: Response) -> Response {
    if let Some(cookie) = form.cookie(app) {
        page.headers_mut().append(header::SET_COOKIE, cookie);
    }
    page
}
