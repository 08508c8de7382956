//! The page on which somebody sets up the second factor that their tenant asks for, before the first login without one.

use axum::{
    extract::{Request, State},
    response::Response,
};
use bz_auth::claims::TWO_FACTORS;
use bz_http::Problem;
use bz_kernel::{TenantId, UserId};
use bz_tenant::{DbError, TenantScope, TenantTx};
use http::{HeaderMap, header};
use uuid::Uuid;

use super::{
    super::{
        browser::{self, FormKey},
        pages::{self, Refusal, texts},
        params::Params,
    },
    login::{self, go_back},
    login_page,
    request::AuthorizationRequest,
    with_form_cookie,
};
use crate::{
    app::AppState,
    audit::Actor,
    credential::Credential,
    mfa::{
        challenge, codes, factor, store, totp_activate,
        totp_enrol::{self, Enrolment},
        verify,
    },
    origin::Origin,
    passkeys,
    sessions::issue::NewSession,
    users::{self, store::Account},
};

/// Shows what an authenticator app needs to somebody whose password was right. Whoever has a passkey has a second factor, and
/// sets up no other one with the password alone.
pub(super) async fn begin(
    app: &AppState,
    headers: &HeaderMap,
    request: &AuthorizationRequest,
    account: &Account,
    origin: &Origin,
) -> Result<Response, Problem> {
    let sources = &app.core.sources;
    let (id, secret) = (sources.id::<Uuid>(), codes::new_secret(&sources.rng));
    let sealed = factor::sealer(app).seal(&factor::bound_to(id), &secret);
    let session = NewSession::with_password(account.user, origin);
    let begin = async |tx: &mut TenantTx| {
        if passkeys::store::has_any(tx, account.user).await? {
            return Ok(None);
        }
        store::insert_factor(tx, id, account.user, &sealed, sources.now()).await?;
        challenge::create(tx, app, &session).await.map(Some)
    };
    let scope = TenantScope::new(account.tenant, Some(account.user));
    let db = &app.core.db;
    let begun = db
        .run::<_, DbError>("identity.mfa.set_up", &scope, begin)
        .await?;
    let Some(begun) = begun else {
        let refusal = Some(Refusal::FactorElsewhere);
        return Ok(login_page(app, headers, request, None, refusal));
    };
    let enrolment = totp_enrol::enrolment(id, &secret, &account.email)?;
    Ok(page(app, headers, request, begun.token(), &enrolment, None))
}

/// `POST /oauth2/login/set-up`: the first code of the app, after the right password.
pub(in crate::oauth) async fn take_first_code(
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
    let text = params.field("mfa_token").unwrap_or_default();
    let token = Credential::parse(challenge::PREFIX, text)
        .filter(|token| token.tenant == request.tenant)
        .filter(|_| FormKey::of(&app, &headers).accepts(&app, None, params.field("csrf")));
    let Some(token) = token else {
        let refusal = Some(Refusal::StaleForm);
        return Ok(login_page(&app, &headers, &request, None, refusal));
    };
    let code = params.field("code").unwrap_or_default();
    let settle = async |tx: &mut TenantTx| settle(tx, &app, &token, code, &origin).await;
    let (db, scope) = (&app.core.db, TenantScope::new(token.tenant, None));
    let settled = db.run::<_, Problem>("identity.mfa.set_up", &scope, settle);
    match settled.await? {
        Settled::Enabled(user, codes) => {
            enter(
                &app,
                &headers,
                &request,
                token.tenant,
                user,
                &codes,
                &origin,
            )
            .await
        }
        Settled::Wrong(enrolment) => {
            let refusal = Some(Refusal::WrongCode);
            Ok(page(&app, &headers, &request, text, &enrolment, refusal))
        }
        Settled::Expired => {
            let refusal = Some(Refusal::StaleForm);
            Ok(login_page(&app, &headers, &request, None, refusal))
        }
    }
}

/// What became of a first code.
enum Settled {
    /// The app counts; these are the recovery codes.
    Enabled(UserId, Vec<String>),
    /// It is not a code of this app.
    Wrong(Box<Enrolment>),
    /// The login has to start again.
    Expired,
}

async fn settle(
    tx: &mut TenantTx,
    app: &AppState,
    token: &Credential,
    code: &str,
    origin: &Origin,
) -> Result<Settled, Problem> {
    let now = app.core.sources.now();
    let waiting = store::lock_challenge(tx, token.id).await?;
    let waiting = waiting
        .filter(|waiting| token.matches(&waiting.secret_hash) && verify::is_open(waiting, now));
    let Some(waiting) = waiting else {
        return Ok(Settled::Expired);
    };
    store::count_attempt(tx, token.id).await?;
    let user = UserId::from_uuid(waiting.user_id);
    let account = users::store::find(tx, user).await?;
    let pending = store::pending_factor(tx, user).await?;
    // An app that counts meanwhile, set up elsewhere, is what the next login asks for.
    let (Some(account), Some(pending), None) =
        (account, pending, store::active_factor(tx, user).await?)
    else {
        return Ok(Settled::Expired);
    };
    if !factor::use_totp(tx, app, &pending, code).await? {
        let secret = factor::secret(app, &pending).unwrap_or_default();
        let enrolment = totp_enrol::enrolment(pending.id, &secret, &account.email)?;
        return Ok(Settled::Wrong(Box::new(enrolment)));
    }
    store::remove_challenge(tx, token.id).await?;
    let codes = totp_activate::enable(tx, app, user, pending.id).await?;
    totp_activate::record(tx, app, Actor::User(user), user, origin).await?;
    Ok(Settled::Enabled(user, codes))
}

/// Logs the browser in, and shows the recovery codes before it goes on.
async fn enter(
    app: &AppState,
    headers: &HeaderMap,
    request: &AuthorizationRequest,
    tenant: TenantId,
    user: UserId,
    codes: &[String],
    origin: &Origin,
) -> Result<Response, Problem> {
    let session = NewSession {
        client_id: browser::CLIENT,
        remember: false,
        acr: TWO_FACTORS,
        amr: verify::WITH_CODE,
        ..NewSession::with_password(user, origin)
    };
    let started = login::start(app, headers, (tenant, tenant), &session, None).await?;
    let Ok(cookie) = started else {
        return Ok(go_back(app, headers, request, started));
    };
    let texts = texts::of(headers, request.ui_locales.as_deref());
    let mut page = pages::recovery_codes(texts, codes, &request.after_login());
    page.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(page)
}

fn page(
    app: &AppState,
    headers: &HeaderMap,
    request: &AuthorizationRequest,
    mfa_token: &str,
    enrolment: &Enrolment,
    refusal: Option<Refusal>,
) -> Response {
    let form = FormKey::of(app, headers);
    let texts = texts::of(headers, request.ui_locales.as_deref());
    let page = pages::SetUp {
        client: &request.client.name,
        redirect_uri: &request.redirect_uri,
        params: &request.params,
        csrf: &form.token(app, None),
        mfa_token,
        enrolment,
        refusal,
    };
    with_form_cookie(app, &form, pages::set_up(texts, &page))
}
