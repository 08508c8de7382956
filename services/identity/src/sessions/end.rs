//! Ending sessions, and with them their access tokens.

use bz_events::NewEvent;
use bz_kernel::{SessionId, UserId};
use bz_tenant::{DbError, TenantTx};
use serde::Serialize;

use super::store::{self, RevokedBecause};
use crate::{app::AppState, mfa, oauth::backchannel, revocations, revocations::Revoked, users};

/// What siblings learn of a session's end.
#[derive(Serialize)]
struct SessionRevoked {
    session_id: SessionId,
    reason: &'static str,
}

/// Ends a session; nothing happens when it had ended before, or there is none. Call [`AppState::wake`] after the commit.
pub(crate) async fn end(
    tx: &mut TenantTx,
    app: &AppState,
    session: SessionId,
    because: RevokedBecause,
    actor: Option<UserId>,
) -> Result<bool, DbError> {
    let ended = store::revoke(tx, session, because, app.core.sources.now()).await?;
    if ended {
        tell(tx, app, session, because, actor).await?;
    }
    Ok(ended)
}

/// Ends the sessions of a user in the tenant of the transaction, all or all but one; answers how many. Call
/// [`AppState::wake`] after the commit.
pub(crate) async fn end_all(
    tx: &mut TenantTx,
    app: &AppState,
    user: UserId,
    except: Option<SessionId>,
    because: RevokedBecause,
    actor: Option<UserId>,
) -> Result<usize, DbError> {
    // Whoever ends all sessions of one user takes turns: two who lock some of them each would wait for each other.
    // Logins wait as well, or are waited for: their sessions are seen.
    users::store::hold(tx, user).await?;
    // What waits for a second factor would become a session.
    mfa::store::forget_challenges(tx, user).await?;
    let ended = store::revoke_all(tx, user, except, because, app.core.sources.now()).await?;
    for session in &ended {
        tell(tx, app, *session, because, actor).await?;
    }
    Ok(ended.len())
}

async fn tell(
    tx: &mut TenantTx,
    app: &AppState,
    session: SessionId,
    because: RevokedBecause,
    actor: Option<UserId>,
) -> Result<(), DbError> {
    revocations::revoke(tx, &app.core.sources, Revoked::Session(session)).await?;
    backchannel::queue(tx, session, app.core.sources.now()).await?;
    let data = SessionRevoked {
        session_id: session,
        reason: because.as_str(),
    };
    let event = NewEvent {
        kind: "session.revoked",
        actor,
        data,
    };
    bz_events::append(tx, &app.core.sources, event).await?;
    Ok(())
}
