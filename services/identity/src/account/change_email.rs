use axum::extract::State;
use bz_auth::Caller;
use bz_http::{Errors, Json, Problem, Validate};
use bz_tenant::TenantTx;
use chrono::TimeDelta;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Accepted, accepted, account_of, at_home, links, links::Recipient, store};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    limits::{self, Limit},
    mail::{Template, language::Language},
    one_time::{self, Kind},
    origin::Origin,
    tenants::policy,
    users::Email,
};

/// The most addresses that one user tries in an hour.
const MOST_AN_HOUR: i64 = 5;

/// Another address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeEmail {
    /// The new address.
    #[schema(example = "ada@new.example.com", max_length = 254)]
    new_email: String,
}

impl Validate for ChangeEmail {
    fn validate(&self, errors: &mut Errors) {
        if Email::parse(&self.new_email).is_err() {
            errors.add("/new_email", "invalid_email", "is not an e-mail address");
        }
    }
}

/// Change one's address: a link goes to the new one, and until it is followed nothing changes.
///
/// Needs a login of the last five minutes. The answer is the same when somebody else has the address.
#[utoipa::path(
    post, path = "/auth/email/change", tag = "account",
    request_body = ChangeEmail,
    responses(
        (status = 202, description = "A mail is on its way to the new address", body = Accepted),
        (status = 429, description = "Too many of these in an hour", body = bz_http::ProblemDocument,
            content_type = "application/problem+json"),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(crate) async fn change_email(
    State(app): State<AppState>,
    caller: Caller,
    language: Language,
    origin: Origin,
    Json(request): Json<ChangeEmail>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    caller.refuse_impersonation()?;
    at_home(&caller)?;
    caller.require_recent_login(app.core.sources.now())?;
    let account = account_of(&app, &caller).await?;
    let new = Email::parse(&request.new_email)
        .map_err(|_| Problem::invalid("/new_email", "invalid_email", "is not an e-mail address"))?;
    policy::admit_address(&account.policy, "/new_email", &new)?;
    // Counted for the address, whoever asks: a link, or a note that it is taken, goes there.
    limits::check(&app, Limit::NewAddressPerAddress, new.as_str()).await?;
    let to = Recipient::of(&account).at(new.as_str()).or_in(language);
    let work = async |tx: &mut TenantTx| {
        let since = app.core.sources.now() - TimeDelta::hours(1);
        let kind = Kind::ChangeEmail;
        if one_time::store::issued_since(tx, caller.user, kind, since).await? >= MOST_AN_HOUR {
            return Err(too_many());
        }
        if store::is_taken(tx, &new).await? {
            // Counted like any other.
            one_time::issue(tx, &app.core.sources, kind, caller.user, new.as_str()).await?;
            links::write(tx, &app, to, Template::AlreadyRegistered, &[]).await?;
        } else {
            links::confirm_email(tx, &app, to).await?;
        }
        let entry = Entry {
            actor: Actor::of(&caller),
            action: "user.email_change_requested",
            target: Some(("user", caller.user.as_uuid())),
            success: true,
            changes: json!({ "new_email": new.as_str() }),
            origin: &origin,
        };
        audit::record(tx, &app.core.sources, entry).await?;
        Ok(())
    };
    app.core
        .db
        .run::<_, Problem>("identity.account.change_email", &caller.scope, work)
        .await?;
    app.wake();
    Ok(accepted())
}

fn too_many() -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "rate_limited",
        "Too many changes of the address",
    )
    .detail("Try again in an hour.")
    .retry_after(3600)
}
