use axum::extract::State;
use bz_auth::Caller;
use bz_http::{Errors, Json, Problem, Validate};
use bz_kernel::SecretString;
use bz_tenant::TenantTx;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{account_of, links, links::Recipient, store};
use crate::{
    app::AppState,
    audit::Actor,
    changes::{self, Change},
    guests,
    mail::Template,
    one_time,
    origin::Origin,
    passwords::{self, Verdict},
    problems::{invalid_credentials, overloaded},
    sessions::store::RevokedBecause,
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
/// The other sessions end, unless `revoke_other_sessions` is false. The user is told by mail.
#[utoipa::path(
    post, path = "/auth/password/change", tag = "account",
    request_body = ChangePassword,
    responses((status = 204, description = "The password is the new one"), bz_http::openapi::ChangeProblems),
)]
pub(crate) async fn change_password(
    State(app): State<AppState>,
    caller: Caller,
    origin: Origin,
    Json(request): Json<ChangePassword>,
) -> Result<StatusCode, Problem> {
    caller.refuse_impersonation()?;
    let account = account_of(&app, &caller).await?;
    let current = SecretString::from(request.current_password.as_str());
    let stored = account.password_hash.as_deref();
    let verdict = app
        .passwords
        .verify(&current, stored)
        .await
        .map_err(overloaded)?;
    if verdict == Verdict::Mismatch {
        return Err(invalid_credentials());
    }
    let hash = hash_new(&app, &account, &request).await?;
    let work = async |tx: &mut TenantTx| {
        let (user, now) = (caller.user, app.core.sources.now());
        if !store::set_password(tx, user, stored, &hash, now).await? {
            return Err(invalid_credentials());
        }
        one_time::retire(tx, user, now).await?;
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
    let context = [Some(account.email.as_str()), account.name.as_deref()];
    let context: Vec<&str> = context.into_iter().flatten().collect();
    if let Some(weakness) = passwords::weakness(&password, &context) {
        let (code, message) = (weakness.code(), weakness.message());
        return Err(Problem::invalid("/new_password", code, message));
    }
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
