use axum::extract::State;
use bz_http::{Json, Problem};
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::TimeDelta;
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::{Accepted, AddressRequest, accepted, background, links, links::Recipient, seek};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    limits::{self, Limit},
    mail::language::Language,
    one_time::{self, Kind},
    origin::Origin,
    problems::PublicProblems,
    users::store::Account,
};

/// The most mails with a link to a new password that one user gets in an hour.
const MOST_AN_HOUR: i64 = 3;

/// Ask for a link by which a forgotten password is replaced.
///
/// The answer is the same, after the same work, whether or not there is an account with the address.
#[utoipa::path(
    post, path = "/auth/password/forgot", tag = "account", security(()),
    request_body = AddressRequest,
    responses((status = 202, description = "A mail is on its way, if there is an account", body = Accepted), PublicProblems),
)]
pub(crate) async fn forgot_password(
    State(app): State<AppState>,
    headers: HeaderMap,
    language: Language,
    origin: Origin,
    Json(request): Json<AddressRequest>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    limits::check_ip(&app, Limit::ForgotPerIp, &origin).await?;
    limits::check(&app, Limit::ForgotPerAddress, &request.address()).await?;
    // A guest has the password elsewhere, and no link is sent for here.
    let account = seek(&app, &headers, &request, false).await?;
    let account = account.filter(|account| account.password_hash.is_some());
    let task = app.clone();
    background(&app, "password reset mail", async move {
        match account {
            Some(account) => send(&task, &account, language, &origin).await,
            None => Ok(()),
        }
    });
    Ok(accepted())
}

async fn send(
    app: &AppState,
    account: &Account,
    language: Language,
    origin: &Origin,
) -> Result<(), DbError> {
    let since = app.core.sources.now() - TimeDelta::hours(1);
    let work = async |tx: &mut TenantTx| {
        let kind = Kind::ResetPassword;
        if one_time::store::issued_since(tx, account.user, kind, since).await? >= MOST_AN_HOUR {
            return Ok(());
        }
        let to = Recipient::of(account).or_in(language);
        links::reset_password(tx, app, to).await?;
        let entry = Entry {
            actor: Actor::Anonymous,
            action: "user.password_reset_requested",
            target: Some(("user", account.user.as_uuid())),
            success: true,
            changes: json!({}),
            origin,
        };
        audit::record(tx, &app.core.sources, entry).await
    };
    let scope = TenantScope::new(account.tenant, Some(account.user));
    app.core
        .db
        .run("identity.account.forgot_password", &scope, work)
        .await?;
    app.wake();
    Ok(())
}
