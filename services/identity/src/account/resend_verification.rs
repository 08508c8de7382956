use axum::extract::State;
use bz_http::{Json, Problem};
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::TimeDelta;
use http::{HeaderMap, StatusCode};

use super::{Accepted, AddressRequest, accepted, background, links, links::Recipient, seek};
use crate::{
    app::AppState,
    limits::{self, Limit},
    mail::language::Language,
    one_time::{self, Kind},
    origin::Origin,
    problems::PublicProblems,
    users::store::Account,
};

/// The most verification mails that one user gets in an hour.
const MOST_AN_HOUR: i64 = 3;

/// Send the verification mail again.
///
/// The answer is the same, after the same work, whether or not the address waits to be verified.
#[utoipa::path(
    post, path = "/auth/verify-email/resend", tag = "account", security(()),
    request_body = AddressRequest,
    responses((status = 202, description = "A mail is on its way, if one is due", body = Accepted), PublicProblems),
)]
pub(crate) async fn resend_verification(
    State(app): State<AppState>,
    headers: HeaderMap,
    language: Language,
    origin: Origin,
    Json(request): Json<AddressRequest>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    limits::check_ip(&app, Limit::ResendPerIp, &origin).await?;
    limits::check(&app, Limit::ResendPerAddress, &request.address()).await?;
    let account = seek(&app, &headers, &request, true).await?;
    let account = account.filter(|account| account.email_verified_at.is_none());
    let task = app.clone();
    background(&app, "verification mail", async move {
        match account {
            Some(account) => send(&task, &account, language).await,
            None => Ok(()),
        }
    });
    Ok(accepted())
}

async fn send(app: &AppState, account: &Account, language: Language) -> Result<(), DbError> {
    let since = app.core.sources.now() - TimeDelta::hours(1);
    let work = async |tx: &mut TenantTx| {
        let kind = Kind::VerifyEmail;
        if one_time::store::issued_since(tx, account.user, kind, since).await? >= MOST_AN_HOUR {
            return Ok(());
        }
        let to = Recipient::of(account).or_in(language);
        links::verify_email(tx, app, to, &account.tenant_name).await
    };
    let scope = TenantScope::new(account.tenant, Some(account.user));
    app.core
        .db
        .run("identity.account.resend_verification", &scope, work)
        .await?;
    app.wake();
    Ok(())
}
