use axum::extract::State;
use bz_auth::Caller;
use bz_http::{Errors, Json, Problem, Validate};
use bz_tenant::TenantTx;
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{account_of, at_home, links, links::Recipient, store};
use crate::{
    app::AppState,
    audit::Actor,
    changes::{self, Change},
    guests,
    mail::Template,
    one_time,
    origin::Origin,
    revocations::{self, Revoked},
    sessions::{proof, store::RevokedBecause},
    users::store::Account,
};

/// How long a deleted account can be had back by logging in.
const GRACE: TimeDelta = TimeDelta::days(30);

/// The confirmation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeleteMe {
    /// The password; needed if the user has one.
    password: Option<String>,
}

impl Validate for DeleteMe {
    fn validate(&self, _: &mut Errors) {}
}

/// When the account goes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeletionScheduled {
    /// `deletion_scheduled`.
    status: &'static str,
    /// Until then a login takes the deletion back; afterwards everything is gone.
    delete_after: DateTime<Utc>,
}

/// Delete one's account.
///
/// Needs a login of the last five minutes and the password. All sessions end at once; a login within 30 days takes the
/// deletion back. The last owner of a tenant with other members answers 409 `last_owner`: make somebody else an owner, or
/// delete the tenant.
#[utoipa::path(
    delete, path = "/auth/me", tag = "account",
    request_body = DeleteMe,
    responses(
        (status = 202, description = "The account goes after the grace period", body = DeletionScheduled),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(crate) async fn delete_me(
    State(app): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    origin: Origin,
    Json(request): Json<DeleteMe>,
) -> Result<(StatusCode, Json<DeletionScheduled>), Problem> {
    caller.refuse_impersonation()?;
    at_home(&caller)?;
    let now = app.core.sources.now();
    caller.require_recent_login(now)?;
    let account = account_of(&app, &caller).await?;
    if account.password_hash.is_some() {
        let password = request.password.unwrap_or_default().into();
        let (from, action) = ((&headers, &origin), "user.deletion_scheduled");
        proof::password(&app, &caller, from, &password, action).await?;
    }
    let delete_after = now + GRACE;
    let work = async |tx: &mut TenantTx| schedule(tx, &app, &account, delete_after, &origin).await;
    app.core
        .db
        .run::<_, Problem>("identity.account.delete", &caller.scope, work)
        .await?;
    app.wake();
    let scheduled = DeletionScheduled {
        status: "deletion_scheduled",
        delete_after,
    };
    Ok((StatusCode::ACCEPTED, Json(scheduled)))
}

async fn schedule(
    tx: &mut TenantTx,
    app: &AppState,
    account: &Account,
    delete_after: DateTime<Utc>,
    origin: &Origin,
) -> Result<(), Problem> {
    let (user, sources) = (account.user, &app.core.sources);
    store::lock_tenant(tx).await?;
    if store::is_last_owner(tx, user).await? {
        return Err(Problem::conflict(
            "last_owner",
            "Make somebody else an owner first, or delete the tenant.",
        ));
    }
    store::schedule_deletion(tx, user, delete_after, sources.now()).await?;
    one_time::retire_all(tx, user, sources.now()).await?;
    let because = RevokedBecause::UserDeleted;
    guests::end_everywhere(tx, app, user, None, because, Some(user)).await?;
    revocations::revoke(tx, sources, Revoked::User(user)).await?;
    let to = Recipient::of(account);
    let date = delete_after.format("%Y-%m-%d").to_string();
    links::write(tx, app, to, Template::AccountDeletion, &[("date", &date)]).await?;
    let change = Change {
        actor: Actor::User(user),
        kind: "user.deletion_scheduled",
        target: ("user", user.as_uuid()),
        data: json!({ "user_id": user, "delete_after": delete_after }),
        changes: json!({}),
        origin,
    };
    changes::record(tx, sources, change).await?;
    Ok(())
}
