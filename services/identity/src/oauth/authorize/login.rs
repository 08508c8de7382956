//! The form of the login page.

use axum::{
    extract::{Request, State},
    response::Response,
};
use bz_http::Problem;
use bz_kernel::TenantId;
use bz_tenant::{DbError, TenantScope, TenantTx};
use http::{HeaderMap, HeaderValue, header};
use serde_json::json;

use super::{
    super::{
        browser::{self, FormKey},
        pages::{self, Refusal},
        params::Params,
    },
    code_page, guest, login_page,
    request::AuthorizationRequest,
    set_up,
};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    credential::Credential,
    mfa::{
        Method, challenge,
        verify::{self, Refused},
    },
    origin::Origin,
    sessions::{
        credentials::Credentials,
        delivery::TokenDelivery,
        end,
        issue::{self, Barred, NewSession},
        login::authenticate,
        store::RevokedBecause,
    },
    users::{self, store::Account},
};

/// `POST /oauth2/login`: the same rules as `POST /auth/login`, in the tenant of the application; then back to the request
/// that the page stands for.
pub(in crate::oauth) async fn log_in(
    State(app): State<AppState>,
    headers: HeaderMap,
    origin: Origin,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request).await?;
    let request = match AuthorizationRequest::read(&app, &params).await? {
        Ok(request) => request,
        Err(rejected) => return Ok(rejected.respond(&headers, &params)),
    };
    let email = params.field("email");
    let again = |refusal| login_page(&app, &headers, &request, email, Some(refusal));
    // Before anything else: no other site may log this browser in, not even as somebody with the right password.
    if !FormKey::of(&app, &headers).accepts(&app, None, params.field("csrf")) {
        return Ok(again(Refusal::StaleForm));
    }
    let address = email.unwrap_or_default();
    let home = guest::home_of(&app, request.tenant, address).await?;
    let credentials = credentials(&params, home);
    // The application names the tenant; which host was called says nothing here.
    let mut hostless = headers.clone();
    hostless.remove(header::HOST);
    let known = async {
        let known = authenticate(&app, &hostless, &origin, &credentials).await?;
        let account = known.account(&app, &origin).await?;
        Ok((account, known.new_hash))
    };
    match known.await {
        Ok((account, new_hash)) => {
            go_on(&app, &headers, &request, account, new_hash, &origin).await
        }
        Err(problem) => match refusal(&problem) {
            Some(refusal) => Ok(again(refusal)),
            None => Err(problem),
        },
    }
}

fn credentials(params: &Params, tenant: TenantId) -> Credentials {
    let field = |name| params.field(name).unwrap_or_default().to_owned();
    Credentials {
        address: field("email"),
        password: field("password").into(),
        tenant: Some(tenant.to_string()),
        device_name: None,
        remember: false,
        delivery: TokenDelivery::Body,
    }
}

/// The session, or the question for the second factor.
async fn go_on(
    app: &AppState,
    headers: &HeaderMap,
    request: &AuthorizationRequest,
    account: Account,
    new_hash: Option<String>,
    origin: &Origin,
) -> Result<Response, Problem> {
    let scope = TenantScope::new(account.tenant, Some(account.user));
    if !account.mfa.is_empty() {
        let session = NewSession::with_password(account.user, origin);
        let ask = async |tx: &mut TenantTx| challenge::create(tx, app, &session).await;
        let db = &app.core.db;
        let asked = db
            .run::<_, DbError>("identity.mfa.challenge", &scope, ask)
            .await?;
        return Ok(code_page(app, headers, request, asked.token(), None));
    }
    if account.policy.mfa_required && account.tenant != request.tenant {
        let refusal = Some(Refusal::NeedsSecondFactor);
        return Ok(login_page(app, headers, request, None, refusal));
    }
    if account.policy.mfa_required {
        return set_up::begin(app, headers, request, &account, origin).await;
    }
    let session = NewSession {
        client_id: browser::CLIENT,
        remember: false,
        ..NewSession::with_password(account.user, origin)
    };
    // A guest's hash is at home, where the next login renews it.
    let rehashed = account
        .password_hash
        .as_deref()
        .zip(new_hash.as_deref())
        .filter(|_| account.tenant == request.tenant);
    let started = start(
        app,
        headers,
        (account.tenant, request.tenant),
        &session,
        rehashed,
    )
    .await?;
    Ok(go_back(app, headers, request, started))
}

/// `POST /oauth2/login/code`: the second factor, after the right password.
pub(in crate::oauth) async fn take_code(
    State(app): State<AppState>,
    headers: HeaderMap,
    origin: Origin,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request).await?;
    let request = match AuthorizationRequest::read(&app, &params).await? {
        Ok(request) => request,
        Err(rejected) => return Ok(rejected.respond(&headers, &params)),
    };
    let over = |refusal| Ok(login_page(&app, &headers, &request, None, Some(refusal)));
    if !FormKey::of(&app, &headers).accepts(&app, None, params.field("csrf")) {
        return over(Refusal::StaleForm);
    }
    let (text, code) = (params.field("mfa_token"), params.field("code"));
    let (text, code) = (text.unwrap_or_default(), code.unwrap_or_default());
    // Of this tenant, or of the home of a guest, which is seen when the session begins.
    let Some(token) = Credential::parse(challenge::PREFIX, text) else {
        return over(Refusal::StaleForm);
    };
    let method = Method::of_code(code);
    let settle = async |tx: &mut TenantTx| verify::settle(tx, &app, &token, method, code).await;
    let (db, scope) = (&app.core.db, TenantScope::new(token.tenant, None));
    let settled = db
        .run::<_, DbError>("identity.mfa.verify", &scope, settle)
        .await?;
    let waiting = match settled {
        Ok(waiting) => waiting,
        Err(Refused::Expired) => return over(Refusal::CodeTooLate),
        Err(Refused::TooMany) => return over(Refusal::TooManyCodes),
        Err(Refused::Network) => return over(Refusal::Network),
        Err(Refused::Wrong) => {
            let again = Some(Refusal::WrongCode);
            return Ok(code_page(&app, &headers, &request, text, again));
        }
    };
    let session = NewSession {
        client_id: browser::CLIENT,
        remember: false,
        acr: "aal2",
        amr: verify::WITH_CODE,
        ..NewSession::with_password(waiting.user_id.into(), &origin)
    };
    let started = start(
        &app,
        &headers,
        (token.tenant, request.tenant),
        &session,
        None,
    )
    .await?;
    Ok(go_back(&app, &headers, &request, started))
}

fn refusal(problem: &Problem) -> Option<Refusal> {
    match problem.code() {
        "invalid_credentials" => Some(Refusal::WrongCredentials),
        "email_not_verified" => Some(Refusal::NotVerified),
        "overloaded" | "rate_limited" => Some(Refusal::Busy),
        "ip_not_allowed" => Some(Refusal::Network),
        _ => None,
    }
}

/// Goes on with the request, or shows why nobody is logged in.
pub(super) fn go_back(
    app: &AppState,
    headers: &HeaderMap,
    request: &AuthorizationRequest,
    started: Result<HeaderValue, Refusal>,
) -> Response {
    match started {
        Ok(cookie) => {
            let mut response = pages::see_other(&request.after_login());
            response.headers_mut().append(header::SET_COOKIE, cookie);
            response
        }
        Err(refusal) => login_page(app, headers, request, None, Some(refusal)),
    }
}

/// Starts the session behind the browser of somebody who showed at `home` who they are; answers its cookie. The session that
/// the browser had before ends: nobody can have put it there.
pub(super) async fn start(
    app: &AppState,
    headers: &HeaderMap,
    (home, tenant): (TenantId, TenantId),
    session: &NewSession<'_>,
    rehashed: Option<(&str, &str)>,
) -> Result<Result<HeaderValue, Refusal>, Problem> {
    let before = browser::find(app, headers, tenant).await?;
    let start = async |tx: &mut TenantTx| {
        if let Err(refusal) = guest::admit(tx, home, session).await? {
            return Ok(Err(refusal));
        }
        if let Some((old, new)) = rehashed {
            users::store::replace_hash(tx, session.user, old, new).await?;
        }
        let (account, grant) = match issue::enter(tx, app, session).await? {
            Ok(entered) => entered,
            Err(Barred::Inactive | Barred::Unverified) => {
                return Ok(Err(Refusal::WrongCredentials));
            }
            Err(Barred::Network) => return Ok(Err(Refusal::Network)),
        };
        // After the new one has locked its user.
        if let Some(before) = &before {
            let (because, actor) = (RevokedBecause::Logout, Some(before.account.user));
            end::end(tx, app, before.session, because, actor).await?;
        }
        let cookie = browser::bind(tx, app, grant.token.session).await?;
        let entry = Entry {
            actor: Actor::User(account.user),
            action: "session.started",
            target: Some(("session", grant.token.session.as_uuid())),
            success: true,
            changes: json!({ "client_id": browser::CLIENT, "amr": grant.amr }),
            origin: session.origin,
        };
        audit::record(tx, &app.core.sources, entry).await?;
        Ok(Ok(cookie))
    };
    let scope = TenantScope::new(tenant, Some(session.user));
    let db = &app.core.db;
    let started = db
        .run::<_, DbError>("identity.browser_sessions.start", &scope, start)
        .await?;
    app.wake();
    Ok(started)
}
