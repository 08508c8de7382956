//! The form of the login page.

use axum::{
    extract::{Request, State},
    response::Response,
};
use bz_http::Problem;
use bz_tenant::{DbError, TenantScope, TenantTx};
use http::{HeaderMap, HeaderValue, header};
use serde_json::json;

use super::{
    super::{
        browser::{self, FormKey},
        pages::{self, Refusal},
        params::Params,
    },
    login_page,
    request::AuthorizationRequest,
};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
    sessions::{
        credentials::Credentials,
        end,
        issue::{self, NewSession},
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
    let credentials = credentials(&params, &request);
    // The application names the tenant; which host was called says nothing here.
    match authenticate(&app, &HeaderMap::new(), &credentials).await {
        Ok((account, new_hash)) => {
            // mfa: a user with a second factor is asked for it here, before there is a session.
            let cookie = start(&app, &headers, &account, new_hash, &origin).await?;
            let mut response = pages::see_other(&request.after_login());
            response.headers_mut().append(header::SET_COOKIE, cookie);
            Ok(response)
        }
        Err(problem) => match refusal(&problem) {
            Some(refusal) => Ok(again(refusal)),
            None => Err(problem),
        },
    }
}

fn credentials(params: &Params, request: &AuthorizationRequest) -> Credentials {
    let field = |name| params.field(name).unwrap_or_default().to_owned();
    Credentials {
        address: field("email"),
        password: field("password").into(),
        tenant: Some(request.tenant.to_string()),
    }
}

fn refusal(problem: &Problem) -> Option<Refusal> {
    match problem.code() {
        "invalid_credentials" => Some(Refusal::WrongCredentials),
        "email_not_verified" => Some(Refusal::NotVerified),
        "overloaded" | "rate_limited" => Some(Refusal::Busy),
        _ => None,
    }
}

/// Starts the session behind the browser. The one that the browser had before ends: nobody can have put it there.
async fn start(
    app: &AppState,
    headers: &HeaderMap,
    account: &Account,
    new_hash: Option<String>,
    origin: &Origin,
) -> Result<HeaderValue, Problem> {
    let before = browser::find(app, headers, account.tenant).await?;
    let session = NewSession {
        client_id: browser::CLIENT,
        remember: false,
        ..NewSession::with_password(account.user, origin)
    };
    let start = async |tx: &mut TenantTx| {
        if let (Some(old), Some(new)) = (&account.password_hash, &new_hash) {
            users::store::replace_hash(tx, account.user, old, new).await?;
        }
        if let Some(before) = &before {
            let (because, actor) = (RevokedBecause::Logout, Some(before.account.user));
            end::end(tx, app, before.session, because, actor).await?;
        }
        let grant = issue::start(tx, app, &session).await?;
        let cookie = browser::bind(tx, app, grant.token.session).await?;
        let entry = Entry {
            actor: Actor::User(account.user),
            action: "session.started",
            target: Some(("session", grant.token.session.as_uuid())),
            success: true,
            changes: json!({ "client_id": browser::CLIENT }),
            origin,
        };
        audit::record(tx, &app.core.sources, entry).await?;
        Ok(cookie)
    };
    let scope = TenantScope::new(account.tenant, Some(account.user));
    let db = &app.core.db;
    let cookie = db
        .run::<_, DbError>("identity.browser_sessions.start", &scope, start)
        .await?;
    app.wake();
    Ok(cookie)
}
