//! Tokens that are good once and travel by mail: to verify an address, to choose a password, to change the address and
//! to take that back.

pub(crate) mod store;

use bz_kernel::{SecretString, Sources, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, TimeDelta, Utc};

use crate::credential::Credential;

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Shows that mail to the address reaches the user.
    VerifyEmail,
    /// Lets whoever lost the password choose another one.
    ResetPassword,
    /// Lets somebody for whom an account was made choose its password.
    SetPassword,
    /// Makes a new address the user's.
    ChangeEmail,
    /// Makes the old address the user's again.
    RevertEmail,
}

impl Kind {
    /// As the table has it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::SetPassword => "set_password",
            Self::ChangeEmail => "change_email",
            Self::RevertEmail => "revert_email",
        }
    }

    /// What its tokens begin with.
    const fn prefix(self) -> &'static str {
        match self {
            Self::VerifyEmail => "ve1.",
            Self::ResetPassword => "rp1.",
            Self::SetPassword => "sp1.",
            Self::ChangeEmail => "ce1.",
            Self::RevertEmail => "re1.",
        }
    }

    /// How long a token waits for its use.
    const fn lifetime(self) -> TimeDelta {
        match self {
            Self::VerifyEmail | Self::ChangeEmail => TimeDelta::hours(24),
            Self::ResetPassword => TimeDelta::minutes(30),
            Self::SetPassword => TimeDelta::days(7),
            Self::RevertEmail => TimeDelta::hours(72),
        }
    }

    /// Whether it outlives a change of the user's password or address. Taking a change back must: whoever stole the
    /// account would change the password next.
    const fn survives_change(self) -> bool {
        matches!(self, Self::RevertEmail)
    }
}

/// A token that was found and is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// Whose it is.
    pub(crate) user: UserId,
    /// The address that it speaks of.
    pub(crate) email: String,
}

/// Reads a token of this kind; `None` for what cannot be one.
pub(crate) fn parse(kind: Kind, text: &str) -> Option<Credential> {
    Credential::parse(kind.prefix(), text)
}

/// Makes a token for a user of the transaction's tenant. Of most kinds only the latest is good.
///
/// # Errors
/// Any [`DbError`].
pub(crate) async fn issue(
    tx: &mut TenantTx,
    sources: &Sources,
    kind: Kind,
    user: UserId,
    email: &str,
) -> Result<SecretString, DbError> {
    let now = sources.now();
    if !kind.survives_change() {
        store::retire_kind(tx, user, kind, now).await?;
    }
    let credential = Credential::new(tx.scope().tenant(), sources.id(), &sources.rng);
    let token = Token {
        user,
        email: email.to_owned(),
    };
    store::insert(tx, kind, &credential, &token, now, now + kind.lifetime()).await?;
    Ok(credential.expose(kind.prefix()))
}

/// Uses a token up; `None` when it is not good, which is also what all but one of several that use it at once get.
///
/// # Errors
/// Any [`DbError`].
pub(crate) async fn consume(
    tx: &mut TenantTx,
    kind: Kind,
    credential: &Credential,
    now: DateTime<Utc>,
) -> Result<Option<Token>, DbError> {
    store::consume(tx, kind, credential, now).await
}

/// Ends the user's tokens, because the password or the address is another one now. Those that take a change of the
/// address back stay.
///
/// # Errors
/// Any [`DbError`].
pub(crate) async fn retire(
    tx: &mut TenantTx,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    store::retire(tx, user, Some(Kind::RevertEmail), now).await
}

/// Ends all of the user's tokens.
///
/// # Errors
/// Any [`DbError`].
pub(crate) async fn retire_all(
    tx: &mut TenantTx,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    store::retire(tx, user, None, now).await
}
