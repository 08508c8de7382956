//! A browser that is logged in at our own pages. Its cookie names a session of ours, which the user sees among the others
//! and can end.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bz_http::Problem;
use bz_kernel::{ExposeSecret, SessionId, TenantId, UserId};
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue};
use sqlx::{FromRow, query, query_as};
use uuid::Uuid;

use crate::{
    app::AppState,
    cookies,
    credential::Credential,
    sessions::store::started_at,
    users::{self, store::Account},
};

/// The client of the sessions behind browsers.
pub(super) const CLIENT: &str = "browser";

const PREFIX: &str = "bs1.";
const SESSION_COOKIE: &str = "bz_session";
const FORM_COOKIE: &str = "bz_form";
const FORM_KEY: &str = "oauth-form";

/// A browser whose session has not ended.
pub(super) struct Browser {
    /// The id that its cookie names.
    pub(super) id: Uuid,
    /// The session behind it.
    pub(super) session: SessionId,
    /// When the user proved who they are.
    pub(super) auth_time: DateTime<Utc>,
    /// How strongly.
    pub(super) acr: String,
    /// By what.
    pub(super) amr: Vec<String>,
    /// Whose it is.
    pub(super) account: Account,
}

#[derive(FromRow)]
struct BrowserRow {
    secret_hash: Vec<u8>,
    session_id: Uuid,
    user_id: Uuid,
    auth_time: DateTime<Utc>,
    acr: String,
    amr: Vec<String>,
}

/// The tenant that a browser is logged in to, as its cookie says; nobody has vouched for it.
pub(super) fn claimed_tenant(app: &AppState, headers: &HeaderMap) -> Option<TenantId> {
    presented(app, headers).map(|cookie| cookie.tenant)
}

/// The browser behind a request, if it is logged in to the tenant.
pub(super) async fn find(
    app: &AppState,
    headers: &HeaderMap,
    tenant: TenantId,
) -> Result<Option<Browser>, Problem> {
    let Some(cookie) = presented(app, headers).filter(|cookie| cookie.tenant == tenant) else {
        return Ok(None);
    };
    let mut tx = app.core.db.read(&TenantScope::new(tenant, None)).await?;
    let row: Option<BrowserRow> = query_as(
        "-- identity.browser_sessions.find\n\
         SELECT b.secret_hash, b.session_id, s.user_id, s.auth_time, s.acr, s.amr FROM identity.browser_sessions b \
         JOIN identity.sessions s ON s.tenant_id = b.tenant_id AND s.id = b.session_id \
         WHERE b.id = $1 AND s.revoked_at IS NULL AND s.expires_at > $2",
    )
    .bind(cookie.id)
    .bind(app.core.sources.now())
    .fetch_optional(tx.conn())
    .await
    .map_err(DbError::from)?;
    let Some(row) = row.filter(|row| cookie.matches(&row.secret_hash)) else {
        return Ok(None);
    };
    let account = users::store::find(&mut tx, UserId::from(row.user_id)).await?;
    let now = app.core.sources.now();
    let lasts = |account: &Account| {
        let end = account
            .policy
            .session_end(started_at(row.session_id).unwrap_or(row.auth_time));
        end.is_none_or(|end| end > now)
    };
    let good = account.filter(|account| account.is_active() && lasts(account));
    Ok(good.map(|account| Browser {
        id: cookie.id,
        session: row.session_id.into(),
        auth_time: row.auth_time,
        acr: row.acr,
        amr: row.amr,
        account,
    }))
}

/// Binds a browser to a session that has just started; answers the cookie.
pub(super) async fn bind(
    tx: &mut TenantTx,
    app: &AppState,
    session: SessionId,
) -> Result<HeaderValue, DbError> {
    let sources = &app.core.sources;
    let credential = Credential::new(tx.scope().tenant(), sources.id(), &sources.rng);
    query(
        "-- identity.browser_sessions.insert\n\
         INSERT INTO identity.browser_sessions (id, session_id, secret_hash, created_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(credential.id)
    .bind(session.as_uuid())
    .bind(credential.secret_hash())
    .bind(sources.now())
    .execute(tx.conn())
    .await?;
    let value = credential.expose(PREFIX);
    Ok(set_cookie(app, SESSION_COOKIE, value.expose_secret(), ""))
}

/// The cookie by which a browser forgets that it was logged in.
pub(super) fn forget(app: &AppState) -> HeaderValue {
    set_cookie(app, SESSION_COOKIE, "", "; Max-Age=0")
}

/// What a form on a page of this browser must send back, so that no other site can send it: bound to a cookie that is
/// set when there is none yet.
pub(super) struct FormKey {
    value: String,
    is_new: bool,
}

impl FormKey {
    /// The browser's, or a new one.
    pub(super) fn of(app: &AppState, headers: &HeaderMap) -> Self {
        match cookie(app, headers, FORM_COOKIE) {
            Some(value) if value.len() == 22 => Self {
                value: value.to_owned(),
                is_new: false,
            },
            _ => Self {
                value: URL_SAFE_NO_PAD.encode(app.core.sources.rng.bytes::<16>()),
                is_new: true,
            },
        }
    }

    /// The token for the forms of a page; for those of a logged-in browser it is bound to that login as well.
    pub(super) fn token(&self, app: &AppState, browser: Option<&Browser>) -> String {
        let id = browser.map_or(Uuid::nil(), |browser| browser.id);
        let message = [self.value.as_bytes(), id.as_bytes()].concat();
        URL_SAFE_NO_PAD.encode(app.core.secret.hmac(FORM_KEY, &message))
    }

    /// Whether a form was on a page of this browser.
    pub(super) fn accepts(
        &self,
        app: &AppState,
        browser: Option<&Browser>,
        sent: Option<&str>,
    ) -> bool {
        let expected = self.token(app, browser);
        let sent = sent.unwrap_or_default().as_bytes();
        !self.is_new && verify_slices_are_equal(expected.as_bytes(), sent).is_ok()
    }

    /// The cookie to set, if the browser has none.
    pub(super) fn cookie(&self, app: &AppState) -> Option<HeaderValue> {
        self.is_new
            .then(|| set_cookie(app, FORM_COOKIE, &self.value, ""))
    }
}

fn presented(app: &AppState, headers: &HeaderMap) -> Option<Credential> {
    Credential::parse(PREFIX, cookie(app, headers, SESSION_COOKIE)?)
}

/// Cookies end with the browser. `Lax`, because an application sends the browser here from its own site.
fn set_cookie(app: &AppState, name: &str, value: &str, more: &str) -> HeaderValue {
    let secure = if is_secure(app) { "; Secure" } else { "" };
    let name = full_name(app, name);
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{more}");
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn cookie<'a>(app: &AppState, headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    cookies::get(headers, &full_name(app, name))
}

/// With the prefix no other host of the domain can set the cookie; it needs https.
fn full_name(app: &AppState, name: &str) -> String {
    let prefix = if is_secure(app) { "__Host-" } else { "" };
    format!("{prefix}{name}")
}

fn is_secure(app: &AppState) -> bool {
    app.core.issuer.starts_with("https://")
}
