use axum::extract::State;
use bz_http::{Json, Problem};
use bz_tenant::{TenantScope, TenantTx};
use http::StatusCode;
use serde_json::json;

use super::{TokenRequest, links, links::Recipient, store, token_invalid};
use crate::{
    app::AppState,
    audit::Actor,
    changes::{self, Change},
    guests,
    one_time::{self, Kind},
    origin::Origin,
    problems::PublicProblems,
    sessions::store::RevokedBecause,
    users::{
        Email,
        store::{self as users, Account},
    },
};

/// Confirm a new address with the token out of the mail.
///
/// All sessions end. The old address is told, and can take the change back for 72 hours.
#[utoipa::path(
    post, path = "/auth/email/change/confirm", tag = "account", security(()),
    request_body = TokenRequest,
    responses((status = 204, description = "The address is the new one"), PublicProblems),
)]
pub(crate) async fn confirm_email(
    State(app): State<AppState>,
    origin: Origin,
    Json(request): Json<TokenRequest>,
) -> Result<StatusCode, Problem> {
    confirm(&app, &request.token, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Uses the token up and gives its user the address.
///
/// # Errors
/// 400 `token_invalid`, also when somebody in the tenant has the address by now.
pub(crate) async fn confirm(app: &AppState, token: &str, origin: &Origin) -> Result<(), Problem> {
    let credential = one_time::parse(Kind::ChangeEmail, token).ok_or_else(token_invalid)?;
    let now = app.core.sources.now();
    let work = async |tx: &mut TenantTx| {
        let token = one_time::consume(tx, Kind::ChangeEmail, &credential, now)
            .await?
            .ok_or_else(token_invalid)?;
        let account = users::find(tx, token.user)
            .await?
            .filter(|account| account.is_active() && still_takes(account, &token.email))
            .ok_or_else(token_invalid)?;
        change(tx, app, &account, &token.email, origin).await
    };
    let scope = TenantScope::new(credential.tenant, None);
    app.core
        .db
        .run::<_, Problem>("identity.account.confirm_email", &scope, work)
        .await?;
    app.wake();
    Ok(())
}

/// The tenant's policy may be another one since the address was asked for.
fn still_takes(account: &Account, email: &str) -> bool {
    Email::parse(email).is_ok_and(|email| account.policy.takes(&email))
}

async fn change(
    tx: &mut TenantTx,
    app: &AppState,
    account: &Account,
    new: &str,
    origin: &Origin,
) -> Result<(), Problem> {
    let (user, old) = (account.user, account.email.as_str());
    give(tx, app, account, new).await?;
    one_time::retire(tx, user, app.core.sources.now()).await?;
    let to = Recipient::of(account);
    links::email_changed(tx, app, to, new).await?;
    let change = Change {
        actor: Actor::User(user),
        kind: "user.email_changed",
        target: ("user", user.as_uuid()),
        data: json!({ "user_id": user }),
        changes: json!({ "email": [old, new] }),
        origin,
    };
    changes::record(tx, &app.core.sources, change).await?;
    Ok(())
}

/// Gives a user an address that mail reached, and ends their sessions.
pub(super) async fn give(
    tx: &mut TenantTx,
    app: &AppState,
    account: &Account,
    new: &str,
) -> Result<(), Problem> {
    let (user, now) = (account.user, app.core.sources.now());
    if !store::set_email(tx, user, &account.email, new, now).await? {
        return Err(token_invalid());
    }
    guests::store::spread_profile(tx, user, now).await?;
    let because = RevokedBecause::EmailChanged;
    guests::end_everywhere(tx, app, user, None, because, Some(user)).await?;
    Ok(())
}
