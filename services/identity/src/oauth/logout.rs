//! OpenID Connect RP-Initiated Logout 1.0.

use axum::{
    extract::{Request, State},
    response::Response,
};
use bz_http::Problem;
use bz_kernel::{SessionId, TenantId, UserId};
use bz_tenant::{DbError, TenantScope, TenantTx};
use http::{HeaderMap, Method, header};
use serde::Deserialize;

use super::{
    authorize::with_form_cookie,
    browser::{self, Browser, FormKey},
    pages::{
        self, PageError,
        texts::{self, Texts},
    },
    params::{Params, with_query},
    store,
};
use crate::{
    app::AppState,
    oauth_clients::{OauthClient, secret, store as clients},
    sessions::{end, store::RevokedBecause},
};

/// Whom an ID token was about.
#[derive(Deserialize)]
struct Hint {
    sub: UserId,
    aud: String,
    sid: Option<SessionId>,
}

/// A logout that was asked for.
struct Wanted {
    hint: Option<Hint>,
    client: Option<(TenantId, OauthClient)>,
    /// Where to go afterwards: an address that is registered for the client.
    leads_to: Option<String>,
}

impl Wanted {
    /// Whether the application has an ID token of the user who is logged in.
    fn is_by(&self, browser: &Browser) -> bool {
        self.hint
            .as_ref()
            .is_some_and(|hint| hint.sub == browser.account.user)
    }
}

/// `GET` and `POST /oauth2/logout`. It happens at once for an application that shows an ID token of the user who is logged
/// in; otherwise the user is asked, so that no other site can log anybody out.
pub(super) async fn logout(
    State(app): State<AppState>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    let is_post = request.method() == Method::POST;
    let params = Params::read(request).await?;
    let texts = texts::of(&headers, params.field("ui_locales"));
    let Some(wanted) = read(&app, &params).await? else {
        return Ok(pages::error(texts, PageError::BadRequest));
    };
    let tenant = match &wanted.client {
        Some((tenant, _)) => Some(*tenant),
        None => browser::claimed_tenant(&app, &headers),
    };
    let browser = match tenant {
        Some(tenant) => browser::find(&app, &headers, tenant).await?,
        None => None,
    };
    if let Some(browser) = &browser {
        let form = FormKey::of(&app, &headers);
        let is_confirmed = is_post && form.accepts(&app, Some(browser), params.field("csrf"));
        if !is_confirmed && !wanted.is_by(browser) {
            return Ok(confirmation(&app, texts, &params, &wanted, browser, &form));
        }
    }
    end_sessions(&app, &wanted, browser.as_ref()).await?;
    let mut response = match &wanted.leads_to {
        Some(uri) => pages::see_other(&with_state(uri, params.field("state"))),
        None => pages::logged_out(texts),
    };
    if browser.is_some() {
        let forgotten = browser::forget(&app);
        response.headers_mut().append(header::SET_COOKIE, forgotten);
    }
    Ok(response)
}

/// The page that asks the user.
fn confirmation(
    app: &AppState,
    texts: &Texts,
    params: &Params,
    wanted: &Wanted,
    browser: &Browser,
    form: &FormKey,
) -> Response {
    let kept = params.only(&[
        "client_id",
        "post_logout_redirect_uri",
        "state",
        "ui_locales",
    ]);
    let csrf = form.token(app, Some(browser));
    let leads_to = wanted.leads_to.as_deref();
    let page = pages::confirm_logout(texts, &kept, &csrf, &browser.account.email, leads_to);
    with_form_cookie(app, form, page)
}

/// Checks what was sent; `None` when it makes no sense. Nothing is trusted but an ID token that we signed.
async fn read(app: &AppState, params: &Params) -> Result<Option<Wanted>, DbError> {
    let (Ok(hint), Ok(client_id), Ok(leads_to)) = (
        params.get("id_token_hint"),
        params.get("client_id"),
        params.get("post_logout_redirect_uri"),
    ) else {
        return Ok(None);
    };
    // One that cannot be read, because its key has long gone, says nothing: the user is asked.
    let keys = app.keys.current();
    let hint = hint.and_then(|text| keys.read_hint::<Hint>(text, &app.core.issuer));
    let client_id = match (client_id, &hint) {
        (Some(id), Some(hint)) if id != hint.aud => return Ok(None),
        (id, hint) => id.or(hint.as_ref().map(|hint| hint.aud.as_str())),
    };
    let client = match client_id {
        Some(id) => find_client(app, id).await?,
        None => None,
    };
    let is_registered = |uri: &str| {
        client.as_ref().is_some_and(|(_, client)| {
            let known = &client.post_logout_redirect_uris;
            known.iter().any(|known| known == uri)
        })
    };
    if leads_to.is_some_and(|uri| !is_registered(uri)) {
        return Ok(None);
    }
    Ok(Some(Wanted {
        leads_to: leads_to.map(str::to_owned),
        hint,
        client,
    }))
}

async fn find_client(
    app: &AppState,
    client_id: &str,
) -> Result<Option<(TenantId, OauthClient)>, DbError> {
    let Some((tenant, id)) = secret::parse_client_id(client_id) else {
        return Ok(None);
    };
    let mut tx = app.core.db.read(&TenantScope::new(tenant, None)).await?;
    let client = clients::find(&mut tx, id).await?;
    Ok(client.map(|client| (tenant, client)))
}

/// Ends the session behind the browser, what came from it without leave to stay, and the session of the application which
/// the ID token is of.
async fn end_sessions(
    app: &AppState,
    wanted: &Wanted,
    browser: Option<&Browser>,
) -> Result<(), DbError> {
    let of_client = wanted
        .client
        .as_ref()
        .zip(wanted.hint.as_ref())
        .and_then(|((tenant, client), hint)| Some((*tenant, client.id, hint.sub, hint.sid?)));
    let tenant = of_client.map(|(tenant, ..)| tenant);
    let Some(tenant) = tenant.or(browser.map(|browser| browser.account.tenant)) else {
        return Ok(());
    };
    let because = RevokedBecause::Logout;
    let end = async |tx: &mut TenantTx| {
        if let Some(browser) = browser {
            let actor = Some(browser.account.user);
            end::end(tx, app, browser.session, because, actor).await?;
            for session in store::bound_to_login(tx, browser.session).await? {
                end::end(tx, app, session, because, actor).await?;
            }
        }
        if let Some((_, client, user, session)) = of_client {
            let held = store::live(tx, session, app.core.sources.now()).await?;
            if held.is_some_and(|held| held.client == client && held.user == user) {
                end::end(tx, app, session, because, Some(user)).await?;
            }
        }
        Ok(())
    };
    let scope = TenantScope::new(tenant, None);
    let db = &app.core.db;
    db.run::<_, DbError>("identity.browser_sessions.logout", &scope, end)
        .await?;
    app.wake();
    Ok(())
}

fn with_state(uri: &str, state: Option<&str>) -> String {
    match state.filter(|state| !state.is_empty()) {
        Some(state) => with_query(uri, &[("state", state)]),
        None => uri.to_owned(),
    }
}
