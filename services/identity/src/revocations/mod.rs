//! Access tokens that must not be accepted any more although they have not expired.

pub(crate) mod feed;
pub(crate) mod store;

use bz_kernel::{SessionId, Sources, UserId};
use bz_tenant::{DbError, TenantTx};
use uuid::Uuid;

/// Whose access tokens are refused from now on, in the tenant of the transaction. Tokens that are signed later are good:
/// a user whose rights changed refreshes and goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Revoked {
    /// A session's.
    Session(SessionId),
    /// A user's.
    User(UserId),
    /// Everybody's.
    Tenant,
    /// What an API key was exchanged for.
    ApiKey(Uuid),
}

impl Revoked {
    const fn kind(self) -> &'static str {
        match self {
            Self::Session(_) => "session",
            Self::User(_) => "user",
            Self::Tenant => "tenant",
            Self::ApiKey(_) => "api_key",
        }
    }
}

/// Refuses the access tokens that were signed until now. End sessions first: a refresh locks its session and then its
/// user, and this locks the user, so that a refresh that has read what is being changed is signed before "now".
///
/// # Errors
/// Any [`DbError`].
pub(crate) async fn revoke(
    tx: &mut TenantTx,
    sources: &Sources,
    revoked: Revoked,
) -> Result<(), DbError> {
    let subject: Uuid = match revoked {
        Revoked::Session(session) => session.as_uuid(),
        Revoked::User(user) => {
            store::wait_for_refreshes(tx, user).await?;
            user.as_uuid()
        }
        Revoked::ApiKey(key) => key,
        Revoked::Tenant => tx.scope().tenant().as_uuid(),
    };
    store::insert(tx, sources.id(), revoked.kind(), subject, sources.now()).await
}
