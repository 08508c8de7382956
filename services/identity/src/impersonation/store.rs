//! SQL of sessions in which somebody acts in a user's name.

use bz_http::Problem;
use bz_kernel::{SessionId, UserId};
use bz_tenant::{DbError, OnConstraint, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{query, query_scalar};
use uuid::Uuid;

use crate::origin::Origin;

/// A session that is about to start.
pub(super) struct NewImpersonation<'a> {
    /// Its id.
    pub(super) session: SessionId,
    /// In whose name.
    pub(super) user: UserId,
    /// Who acts.
    pub(super) by: UserId,
    /// Why.
    pub(super) reason: &'a str,
    /// The client that its token is given to.
    pub(super) client_id: &'a str,
    /// From where.
    pub(super) origin: &'a Origin,
    /// Now.
    pub(super) at: DateTime<Utc>,
    /// When it ends.
    pub(super) ends: DateTime<Utc>,
}

/// Stores a session without a refresh token.
///
/// # Errors
/// 401 when whoever acts is gone, though their token is still good.
pub(super) async fn insert(
    tx: &mut TenantTx,
    session: &NewImpersonation<'_>,
) -> Result<(), Problem> {
    query(
        "-- identity.impersonation.insert\n\
         INSERT INTO identity.sessions (id, user_id, client_id, auth_time, last_used_at, expires_at, ip, user_agent, \
           acr, amr, impersonator_id, impersonation_reason) \
         VALUES ($1, $2, $3, $4, $4, $5, $6, $7, 'aal1', '{}', $8, $9)",
    )
    .bind(session.session.as_uuid())
    .bind(session.user.as_uuid())
    .bind(session.client_id)
    .bind(session.at)
    .bind(session.ends)
    .bind(session.origin.ip_text())
    .bind(session.origin.user_agent.as_deref())
    .bind(session.by.as_uuid())
    .bind(session.reason)
    .execute(tx.conn())
    .await
    .on_constraint("sessions_impersonator_fkey", Problem::unauthenticated)?;
    Ok(())
}

/// The sessions in which somebody acts in others' names now.
pub(super) async fn live_of(
    tx: &mut TenantTx,
    impersonator: UserId,
    at: DateTime<Utc>,
) -> Result<Vec<SessionId>, DbError> {
    let sessions: Vec<Uuid> = query_scalar(
        "-- identity.impersonation.live_of\n\
         SELECT id FROM identity.sessions \
         WHERE impersonator_id = $1 AND revoked_at IS NULL AND expires_at > $2 ORDER BY id",
    )
    .bind(impersonator.as_uuid())
    .bind(at)
    .fetch_all(tx.conn())
    .await?;
    Ok(sessions.into_iter().map(SessionId::from).collect())
}
