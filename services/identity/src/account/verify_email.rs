use axum::extract::State;
use bz_http::{Json, Problem};
use bz_kernel::UserId;
use bz_tenant::{TenantScope, TenantTx};
use http::StatusCode;
use serde_json::json;

use super::{TokenRequest, token_invalid};
use crate::{
    app::AppState,
    audit::Actor,
    changes::{self, Change},
    one_time::{self, Kind},
    origin::Origin,
    problems::PublicProblems,
    sessions::{end, store::RevokedBecause},
    users::{
        Email,
        store::{self as users, Account},
    },
};

/// Verify an address with the token out of the mail.
///
/// The address then logs in to this tenant by default, if it did not log in to another one before. Sessions that began
/// before end: whoever began them had not shown that the address is theirs.
#[utoipa::path(
    post, path = "/auth/verify-email", tag = "account", security(()),
    request_body = TokenRequest,
    responses((status = 204, description = "The address is verified"), PublicProblems),
)]
pub(crate) async fn verify_email(
    State(app): State<AppState>,
    origin: Origin,
    Json(request): Json<TokenRequest>,
) -> Result<StatusCode, Problem> {
    verify(&app, &request.token, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Uses the token up and marks the address as verified.
///
/// # Errors
/// 400 `token_invalid`.
pub(crate) async fn verify(app: &AppState, token: &str, origin: &Origin) -> Result<(), Problem> {
    let credential = one_time::parse(Kind::VerifyEmail, token).ok_or_else(token_invalid)?;
    let now = app.core.sources.now();
    let work = async |tx: &mut TenantTx| {
        let token = one_time::consume(tx, Kind::VerifyEmail, &credential, now)
            .await?
            .ok_or_else(token_invalid)?;
        let account = users::find(tx, token.user)
            .await?
            .filter(|account| account.is_active() && account.email == token.email)
            .ok_or_else(token_invalid)?;
        mark_verified(tx, app, &account, origin).await
    };
    let scope = TenantScope::new(credential.tenant, None);
    app.core
        .db
        .run::<_, Problem>("identity.account.verify_email", &scope, work)
        .await?;
    app.wake();
    Ok(())
}

/// Notes that mail reaches the user, and ends the sessions from before it was known.
pub(super) async fn mark_verified(
    tx: &mut TenantTx,
    app: &AppState,
    account: &Account,
    origin: &Origin,
) -> Result<(), Problem> {
    let user: UserId = account.user;
    if account.email_verified_at.is_some() {
        return Ok(());
    }
    users::verify_email(tx, user, app.core.sources.now()).await?;
    if let Ok(email) = Email::parse(&account.email) {
        // Another tenant may be the address's home by now; then this one has to be named at the login.
        users::claim_home(tx, &email, user).await?;
    }
    // An account that somebody made with another's address must not stay open to them (pre-account hijacking).
    let because = RevokedBecause::EmailChanged;
    end::end_all(tx, app, user, None, because, Some(user)).await?;
    let change = Change {
        actor: Actor::User(user),
        kind: "user.email_verified",
        target: ("user", user.as_uuid()),
        data: json!({ "user_id": user }),
        changes: json!({}),
        origin,
    };
    changes::record(tx, &app.core.sources, change).await?;
    Ok(())
}
