use axum::extract::State;
use bz_http::{Json, Problem};
use bz_tenant::{TenantScope, TenantTx};
use http::StatusCode;
use serde_json::json;

use super::{TokenRequest, confirm_email::give, links, links::Recipient, token_invalid};
use crate::{
    app::AppState,
    audit::Actor,
    changes::{self, Change},
    one_time::{self, Kind},
    origin::Origin,
    problems::PublicProblems,
    revocations::{self, Revoked},
    users::store::{self as users, Account},
};

/// Take a change of the address back, with the token out of the mail to the old one.
///
/// All sessions and all links end, and a link to choose a new password goes to the address: whoever changed it may know
/// the password.
#[utoipa::path(
    post, path = "/auth/email/revert", tag = "account", security(()),
    request_body = TokenRequest,
    responses((status = 204, description = "The address is the old one again"), PublicProblems),
)]
pub(crate) async fn revert_email(
    State(app): State<AppState>,
    origin: Origin,
    Json(request): Json<TokenRequest>,
) -> Result<StatusCode, Problem> {
    revert(&app, &request.token, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Uses the token up and gives its user the old address.
///
/// # Errors
/// 400 `token_invalid`.
pub(crate) async fn revert(app: &AppState, token: &str, origin: &Origin) -> Result<(), Problem> {
    let credential = one_time::parse(Kind::RevertEmail, token).ok_or_else(token_invalid)?;
    let now = app.core.sources.now();
    let work = async |tx: &mut TenantTx| {
        let token = one_time::consume(tx, Kind::RevertEmail, &credential, now)
            .await?
            .ok_or_else(token_invalid)?;
        // Not asked to be active: an account that was stolen may have been disabled, and gets its owner's address back.
        let account = users::find(tx, token.user)
            .await?
            .ok_or_else(token_invalid)?;
        restore(tx, app, &account, &token.email, origin).await
    };
    let scope = TenantScope::new(credential.tenant, None);
    app.core
        .db
        .run::<_, Problem>("identity.account.revert_email", &scope, work)
        .await?;
    app.wake();
    Ok(())
}

async fn restore(
    tx: &mut TenantTx,
    app: &AppState,
    account: &Account,
    old: &str,
    origin: &Origin,
) -> Result<(), Problem> {
    let (user, sources) = (account.user, &app.core.sources);
    give(tx, app, account, old).await?;
    revocations::revoke(tx, sources, Revoked::User(user)).await?;
    one_time::retire_all(tx, user, sources.now()).await?;
    let to = Recipient::of(account).at(old);
    links::reset_password(tx, app, to).await?;
    let change = Change {
        actor: Actor::User(user),
        kind: "user.email_changed",
        target: ("user", user.as_uuid()),
        data: json!({ "user_id": user }),
        changes: json!({ "email": [account.email, old], "by": "revert" }),
        origin,
    };
    changes::record(tx, sources, change).await?;
    Ok(())
}
