//! Mails that anybody may ask for, about an account that may not be there: the answer is the same, after the same work.

use bz_http::{Json, Problem};
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::TimeDelta;
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::{Accepted, AddressRequest, accepted, background, links, links::Recipient, seek};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    limits::{self, Limit},
    mail::language::Language,
    one_time::{self, Kind},
    origin::Origin,
    users::store::Account,
};

/// The most mails of a kind that one user gets in an hour.
const MOST_AN_HOUR: i64 = 3;

/// What the mail is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// A link to a new password.
    Reset,
    /// The link that verifies the address, once more.
    Verification,
}

impl Asked {
    const fn limits(self) -> (Limit, Limit) {
        match self {
            Self::Reset => (Limit::ForgotPerIp, Limit::ForgotPerAddress),
            Self::Verification => (Limit::ResendPerIp, Limit::ResendPerAddress),
        }
    }

    const fn kind(self) -> Kind {
        match self {
            Self::Reset => Kind::ResetPassword,
            Self::Verification => Kind::VerifyEmail,
        }
    }

    /// Whether there is something to send. A guest has the password elsewhere, and gets no link to one here.
    const fn is_due(self, account: &Account) -> bool {
        match self {
            Self::Reset => account.password_hash.is_some(),
            Self::Verification => account.email_verified_at.is_none(),
        }
    }
}

/// Sends the mail behind the answer, if one is due.
pub(super) async fn send(
    app: &AppState,
    headers: &HeaderMap,
    request: &AddressRequest,
    asked: Asked,
    (language, origin): (Language, Origin),
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let (per_ip, per_address) = asked.limits();
    limits::check_ip(app, per_ip, &origin).await?;
    limits::check(app, per_address, &request.address()).await?;
    let account = seek(app, headers, request, asked == Asked::Verification).await?;
    let account = account.filter(|account| asked.is_due(account));
    let task = app.clone();
    background(app, "mail that was asked for", async move {
        match account {
            Some(account) => write(&task, &account, asked, language, &origin).await,
            None => Ok(()),
        }
    });
    Ok(accepted())
}

async fn write(
    app: &AppState,
    account: &Account,
    asked: Asked,
    language: Language,
    origin: &Origin,
) -> Result<(), DbError> {
    let since = app.core.sources.now() - TimeDelta::hours(1);
    let work = async |tx: &mut TenantTx| {
        let kind = asked.kind();
        if one_time::store::issued_since(tx, account.user, kind, since).await? >= MOST_AN_HOUR {
            return Ok(());
        }
        let to = Recipient::of(account).or_in(language);
        match asked {
            Asked::Verification => links::verify_email(tx, app, to, &account.tenant_name).await,
            Asked::Reset => {
                links::reset_password(tx, app, to).await?;
                note_reset(tx, app, account, origin).await
            }
        }
    };
    let scope = TenantScope::new(account.tenant, Some(account.user));
    let db = &app.core.db;
    db.run("identity.account.asked", &scope, work).await?;
    app.wake();
    Ok(())
}

async fn note_reset(
    tx: &mut TenantTx,
    app: &AppState,
    account: &Account,
    origin: &Origin,
) -> Result<(), DbError> {
    let entry = Entry {
        actor: Actor::Anonymous,
        action: "user.password_reset_requested",
        target: Some(("user", account.user.as_uuid())),
        success: true,
        changes: json!({}),
        origin,
    };
    audit::record(tx, &app.core.sources, entry).await
}
