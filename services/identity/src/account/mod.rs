//! One's own account: verifying the address, the password, changing the address, the profile, export and deletion.

mod asked;
mod change_email;
mod change_password;
mod confirm_email;
mod delete;
pub(crate) mod erasure;
mod export;
mod forgot_password;
pub(crate) mod links;
mod resend_verification;
mod reset_password;
mod revert_email;
mod store;
mod update;
mod verify_email;

use bz_auth::Caller;
use bz_http::{Errors, Json, Problem, Routes, Validate, context, routes};
use bz_kernel::{TenantId, error_chain};
use bz_tenant::{DbError, TenantScope};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) use self::{
    confirm_email::confirm,
    reset_password::{fewest_characters, reset},
    revert_email::revert,
    verify_email::verify,
};
use crate::{
    app::AppState,
    sessions::home,
    users::{
        Email,
        store::{self as users, Account},
    },
};

/// The operations.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(verify_email::verify_email))
        .routes(routes!(resend_verification::resend_verification))
        .routes(routes!(forgot_password::forgot_password))
        .routes(routes!(reset_password::reset_password))
        .routes(routes!(change_password::change_password))
        .routes(routes!(change_email::change_email))
        .routes(routes!(confirm_email::confirm_email))
        .routes(routes!(revert_email::revert_email))
        .routes(routes!(update::update_me, delete::delete_me))
        .routes(routes!(export::export_me))
}

/// An address, and in which tenant it is meant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddressRequest {
    /// The address.
    #[schema(example = "ada@example.com", max_length = 254)]
    email: String,
    /// Slug or id of the tenant. Without it the host's tenant is meant, and without that the address's default home.
    tenant: Option<String>,
}

impl AddressRequest {
    /// What is counted as one address.
    fn address(&self) -> String {
        self.email.trim().to_lowercase()
    }
}

impl Validate for AddressRequest {
    fn validate(&self, errors: &mut Errors) {
        if Email::parse(&self.email).is_err() {
            errors.add("/email", "invalid_email", "is not an e-mail address");
        }
    }
}

/// A token out of a mail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRequest {
    /// The token.
    #[schema(max_length = 200)]
    token: String,
}

impl Validate for TokenRequest {
    fn validate(&self, _: &mut Errors) {}
}

/// The answer that tells nothing: what follows comes by mail, if there is anything to send.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    /// `accepted`.
    status: &'static str,
}

/// 202 with [`Accepted`].
fn accepted() -> (StatusCode, Json<Accepted>) {
    let accepted = Accepted { status: "accepted" };
    (StatusCode::ACCEPTED, Json(accepted))
}

/// 400: wrong, used, expired, or of a user who is gone. One answer for all.
pub(crate) fn token_invalid() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "token_invalid",
        "The link is not good any more",
    )
    .detail("Ask for another one.")
}

/// Goes on if the token is for the tenant where the user's password is.
pub(crate) fn at_home(caller: &Caller) -> Result<(), Problem> {
    let home = caller.claims.htid;
    if home.is_none_or(|home| home == caller.tenant().as_uuid()) {
        return Ok(());
    }
    Err(Problem::conflict(
        "not_home_tenant",
        "You are a guest in this tenant: switch to your own one.",
    ))
}

/// 401: the token speaks for nobody any more.
pub(crate) fn gone() -> Problem {
    Problem::unauthenticated()
}

/// The active user behind a caller.
async fn account_of(app: &AppState, caller: &Caller) -> Result<Account, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    users::find(&mut tx, caller.user)
        .await?
        .filter(Account::is_active)
        .ok_or_else(gone)
}

/// The account that an address means, if there is one. The database does the same whether or not there is.
#[expect(clippy::disallowed_methods, reason = "the nil tenant has no rows")]
async fn seek(
    app: &AppState,
    headers: &HeaderMap,
    request: &AddressRequest,
    is_unverified_meant: bool,
) -> Result<Option<Account>, Problem> {
    let Ok(email) = Email::parse(&request.email) else {
        return Ok(None);
    };
    let mut tenant = home::resolve(app, headers, request.tenant.as_deref(), &email).await?;
    if is_unverified_meant {
        let mut tx = app.core.db.system().await?;
        let registered = store::unverified_home(&mut tx, &email).await?;
        tenant = tenant.or(registered);
    }
    let scope = TenantScope::new(tenant.unwrap_or(TenantId::trusted(Uuid::nil())), None);
    let mut tx = app.core.db.read(&scope).await?;
    let account = users::find_by_email(&mut tx, &email).await?;
    Ok(account.filter(Account::is_active))
}

/// Goes on with work after the answer, so that neither its time nor its outcome shows whether there was any. A stop waits
/// for it.
pub(crate) fn background<F>(app: &AppState, what: &'static str, work: F)
where
    F: Future<Output = Result<(), DbError>> + Send + 'static,
{
    app.core.tasks.spawn(context::carry(async move {
        if let Err(error) = work.await {
            let error = error_chain(&error);
            tracing::error!(work = what, error, "work behind an answer failed");
        }
    }));
}
