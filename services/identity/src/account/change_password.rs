use axum::extract::State;
use bz_auth::Caller;
use bz_http::{Errors, Json, Problem, Validate};
use bz_kernel::SecretString;
use bz_tenant::TenantTx;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{at_home, links, links::Recipient, store};
use crate::{
    app::AppState,
    audit::Actor,
    changes::{self, Change},
    guests,
    mail::Template,
    mfa, one_time,
    origin::Origin,
    passwords,
    problems::{invalid_credentials, overloaded},
    sessions::{proof, store::RevokedBecause},
    users::store::Account,
};

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePassword {
    /// The password until now.
    current_password: String,
    /// The new one: 8 to 128 characters, not one of those that are tried first.
    #[schema(
        example = "correct horse battery staple",
        min_length = 8,
        max_length = 128
    )]
    new_password: String,
    /// Whether all sessions but this one end.
    #[serde(default = "yes")]
    #[schema(default = true)]
    revoke_other_sessions: bool,
}

const fn yes() -> bool {
    true
}

impl Validate for ChangePassword {
    fn validate(&self, errors: &mut Errors) {
        let password = SecretString::from(self.new_password.as_str());
        if let Some(weakness) = passwords::weakness(&password, &[]) {
            errors.add("/new_password", weakness.code(), weakness.message());
        }
    }
}

/// Change one's password.
///
/// The other sessions end, unless `revoke_other_sessions` is false. The user is told by mail. Wrong passwords count like
/// those of logins, and make the next ones wait.
#[utoipa::path(
    post, path = "/auth/password/change", tag = "account",
    request_body = ChangePassword,
    responses((status = 204, description = "The password is the new one"), bz_http::openapi::ChangeProblems),
)]
pub(crate) async fn change_password(
    State(app): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    origin: Origin,
    Json(request): Json<ChangePassword>,
) -> Result<StatusCode, Problem> {
    caller.refuse_impersonation()?;
    at_home(&caller)?;
    let current = SecretString::from(request.current_password.as_str());
    let (from, action) = ((&headers, &origin), "user.password_changed");
    let account = proof::password(&app, &caller, from, &current, action).await?;
    let stored = account.password_hash.as_deref();
    let hash = hash_new(&app, &account, &request).await?;
    let work = async |tx: &mut TenantTx| {
        let (user, now) = (caller.user, app.core.sources.now());
        if !store::set_password(tx, user, stored, &hash, now).await? {
            return Err(invalid_credentials());
        }
        one_time::retire(tx, user, now).await?;
        mfa::store::forget_challenges(tx, user).await?;
        if request.revoke_other_sessions {
            let because = RevokedBecause::PasswordChanged;
            guests::end_everywhere(tx, &app, user, caller.session, because, Some(user)).await?;
        }
        tell(tx, &app, &caller, &account, &origin).await
    };
    app.core
        .db
        .run::<_, Problem>("identity.account.change_password", &caller.scope, work)
        .await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}

async fn hash_new(
    app: &AppState,
    account: &Account,
    request: &ChangePassword,
) -> Result<String, Problem> {
    let password = SecretString::from(request.new_password.as_str());
    passwords::check_for(account, "/new_password", &password)?;
    app.passwords.hash(&password).await.map_err(overloaded)
}

async fn tell(
    tx: &mut TenantTx,
    app: &AppState,
    caller: &Caller,
    account: &Account,
    origin: &Origin,
) -> Result<(), Problem> {
    let to = Recipient::of(account);
    links::write(tx, app, to, Template::PasswordChanged, &[]).await?;
    let change = Change {
        actor: Actor::of(caller),
        kind: "user.password_changed",
        target: ("user", caller.user.as_uuid()),
        data: json!({ "user_id": caller.user }),
        changes: json!({ "by": "user" }),
        origin,
    };
    changes::record(tx, &app.core.sources, change).await?;
    Ok(())
}
