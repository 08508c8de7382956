use axum::extract::State;
use bz_http::{Errors, Json, Problem, Validate};
use bz_kernel::SecretString;
use bz_tenant::{TenantScope, TenantTx};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{links, links::Recipient, store, token_invalid, verify_email::mark_verified};
use crate::{
    app::AppState,
    audit::Actor,
    changes::{self, Change},
    credential::Credential,
    guests, lockout,
    mail::Template,
    one_time::{self, Kind},
    origin::Origin,
    passwords,
    problems::{PublicProblems, overloaded},
    revocations::{self, Revoked},
    sessions::store::RevokedBecause,
    users::store::{self as users, Account},
};

/// A new password, with the token out of the mail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetPassword {
    /// The token.
    #[schema(max_length = 200)]
    token: String,
    /// The new password: 8 to 128 characters, not one of those that are tried first.
    #[schema(
        example = "correct horse battery staple",
        min_length = 8,
        max_length = 128
    )]
    password: String,
}

impl Validate for ResetPassword {
    fn validate(&self, errors: &mut Errors) {
        let password = SecretString::from(self.password.as_str());
        if let Some(weakness) = passwords::weakness(&password, &[]) {
            errors.add("/password", weakness.code(), weakness.message());
        }
    }
}

/// Choose a new password with the token out of the mail.
///
/// All sessions of the user end. A second factor stays what it is.
#[utoipa::path(
    post, path = "/auth/password/reset", tag = "account", security(()),
    request_body = ResetPassword,
    responses((status = 204, description = "The password is the new one"), PublicProblems),
)]
pub(crate) async fn reset_password(
    State(app): State<AppState>,
    origin: Origin,
    Json(request): Json<ResetPassword>,
) -> Result<StatusCode, Problem> {
    reset(&app, &request.token, request.password.into(), &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The fewest characters that the token's user may choose.
///
/// # Errors
/// 400 `token_invalid`.
pub(crate) async fn fewest_characters(app: &AppState, token: &str) -> Result<u8, Problem> {
    let (kind, credential) = parse(token).ok_or_else(token_invalid)?;
    let account = find(app, kind, &credential).await?;
    Ok(account
        .ok_or_else(token_invalid)?
        .policy
        .password_min_length)
}

/// Uses the token up and gives its user the password.
///
/// # Errors
/// 400 `token_invalid`, 422 for a weak password, 503 when too many passwords are being hashed.
pub(crate) async fn reset(
    app: &AppState,
    token: &str,
    password: SecretString,
    origin: &Origin,
) -> Result<(), Problem> {
    let (kind, credential) = parse(token).ok_or_else(token_invalid)?;
    // Looked at first: hashing for nobody would be work that anybody can order.
    let account = find(app, kind, &credential)
        .await?
        .ok_or_else(token_invalid)?;
    passwords::check_for(&account, "/password", &password)?;
    let hash = app.passwords.hash(&password).await.map_err(overloaded)?;
    let work = async |tx: &mut TenantTx| {
        let token = one_time::consume(tx, kind, &credential, app.core.sources.now()).await?;
        token.ok_or_else(token_invalid)?;
        store_password(tx, app, &account, &hash, origin).await
    };
    let scope = TenantScope::new(account.tenant, Some(account.user));
    app.core
        .db
        .run::<_, Problem>("identity.account.reset_password", &scope, work)
        .await?;
    app.wake();
    lockout::unlock(app, account.tenant, &account.email).await;
    Ok(())
}

fn parse(token: &str) -> Option<(Kind, Credential)> {
    [Kind::ResetPassword, Kind::SetPassword]
        .into_iter()
        .find_map(|kind| Some((kind, one_time::parse(kind, token)?)))
}

async fn find(
    app: &AppState,
    kind: Kind,
    credential: &Credential,
) -> Result<Option<Account>, Problem> {
    let scope = TenantScope::new(credential.tenant, None);
    let mut tx = app.core.db.read(&scope).await?;
    let now = app.core.sources.now();
    let Some(token) = one_time::store::peek(&mut tx, kind, credential, now).await? else {
        return Ok(None);
    };
    let account = users::find(&mut tx, token.user).await?;
    Ok(account.filter(|account| account.is_active() && account.email == token.email))
}

async fn store_password(
    tx: &mut TenantTx,
    app: &AppState,
    account: &Account,
    hash: &str,
    origin: &Origin,
) -> Result<(), Problem> {
    let (user, now) = (account.user, app.core.sources.now());
    store::set_password(tx, user, None, hash, now).await?;
    one_time::retire(tx, user, now).await?;
    let because = RevokedBecause::PasswordReset;
    guests::end_everywhere(tx, app, user, None, because, Some(user)).await?;
    revocations::revoke(tx, &app.core.sources, Revoked::User(user)).await?;
    let to = Recipient::of(account);
    links::write(tx, app, to, Template::PasswordChanged, &[]).await?;
    // The link came by mail.
    mark_verified(tx, app, account, origin).await?;
    let change = Change {
        actor: Actor::User(user),
        kind: "user.password_changed",
        target: ("user", user.as_uuid()),
        data: json!({ "user_id": user }),
        changes: json!({ "by": "reset" }),
        origin,
    };
    changes::record(tx, &app.core.sources, change).await?;
    Ok(())
}
