//! SQL of the applications that wait to be told.

use bz_kernel::{SessionId, TenantId, UserId};
use bz_tenant::{DbError, SystemTx, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as};
use uuid::Uuid;

use crate::oauth_clients::OauthClientId;

/// Notes whom the end of a session concerns: the application that it is of, or those whose sessions came from it.
pub(crate) async fn queue(
    tx: &mut TenantTx,
    session: SessionId,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.backchannel_logouts.queue\n\
         INSERT INTO identity.backchannel_logouts (session_id, client_id, user_id, created_at, due_at) \
         SELECT g.session_id, g.client_id, s.user_id, $2, $2 \
         FROM identity.oauth_grants g \
         JOIN identity.sessions s ON s.tenant_id = g.tenant_id AND s.id = g.session_id \
         JOIN identity.oauth_clients c ON c.tenant_id = g.tenant_id AND c.id = g.client_id \
         WHERE (g.session_id = $1 OR g.login_session_id = $1) AND c.backchannel_logout_uri IS NOT NULL \
         ON CONFLICT DO NOTHING",
    )
    .bind(session.as_uuid())
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// An application that this process may tell now.
pub(super) struct Claimed {
    pub(super) tenant: TenantId,
    pub(super) session: SessionId,
    pub(super) client: OauthClientId,
    pub(super) user: UserId,
    pub(super) created_at: DateTime<Utc>,
    /// This one included.
    pub(super) attempts: i32,
}

#[derive(FromRow)]
struct ClaimedRow {
    tenant_id: Uuid,
    session_id: Uuid,
    client_id: Uuid,
    user_id: Uuid,
    created_at: DateTime<Utc>,
    attempts: i32,
}

/// Takes what is due, of all tenants, until `lease`.
#[expect(
    clippy::disallowed_methods,
    reason = "a row of the queue is a trusted row"
)]
pub(super) async fn claim(
    tx: &mut SystemTx,
    at: DateTime<Utc>,
    lease: DateTime<Utc>,
    batch: i32,
) -> Result<Vec<Claimed>, DbError> {
    let rows: Vec<ClaimedRow> = query_as(
        "-- identity.backchannel_logouts.claim\n\
         SELECT tenant_id, session_id, client_id, user_id, created_at, attempts \
         FROM identity.claim_backchannel_logouts($1, $2, $3)",
    )
    .bind(at)
    .bind(lease)
    .bind(batch)
    .fetch_all(tx.conn())
    .await?;
    let claimed = |row: ClaimedRow| Claimed {
        tenant: TenantId::trusted(row.tenant_id),
        session: row.session_id.into(),
        client: row.client_id.into(),
        user: row.user_id.into(),
        created_at: row.created_at,
        attempts: row.attempts,
    };
    Ok(rows.into_iter().map(claimed).collect())
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The application knows.
    Told,
    /// It never will.
    GivenUp,
    /// It is tried again then.
    Again(DateTime<Utc>),
}

/// Notes what became of an attempt.
pub(super) async fn report(
    tx: &mut TenantTx,
    session: SessionId,
    outcome: Outcome,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    let (sent, failed, due) = match outcome {
        Outcome::Told => (Some(at), None, None),
        Outcome::GivenUp => (None, Some(at), None),
        Outcome::Again(due) => (None, None, Some(due)),
    };
    query(
        "-- identity.backchannel_logouts.report\n\
         UPDATE identity.backchannel_logouts SET sent_at = $2, failed_at = $3, due_at = coalesce($4, due_at) \
         WHERE session_id = $1 AND sent_at IS NULL AND failed_at IS NULL",
    )
    .bind(session.as_uuid())
    .bind(sent)
    .bind(failed)
    .bind(due)
    .execute(tx.conn())
    .await?;
    Ok(())
}
