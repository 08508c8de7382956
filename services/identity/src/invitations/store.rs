//! SQL of invitations. Row-level security confines every statement to the tenant of the transaction.

use bz_kernel::UserId;
use bz_tenant::{DbError, SystemTx, TenantTx};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{FromRow, query, query_as, query_scalar, types::Json};
use uuid::Uuid;

use super::{Invitation, InvitationStatus};
use crate::{tenants::policy::Policy, users::Email};

/// An invitation with what its token is compared with, and its tenant.
pub(crate) struct Found {
    /// What is shown.
    pub(crate) invitation: Invitation,
    /// SHA-256 of the token's secret.
    pub(crate) secret_hash: Vec<u8>,
    /// How long it is good for from when it was sent.
    pub(crate) lifetime: TimeDelta,
    /// Whether the tenant lets anybody in.
    pub(crate) tenant_active: bool,
    /// The tenant's slug.
    pub(crate) tenant_slug: String,
    /// The tenant's name.
    pub(crate) tenant_name: String,
    /// What the tenant asks of its members.
    pub(crate) policy: Policy,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    email: String,
    roles: Vec<String>,
    message: Option<String>,
    secret_hash: Vec<u8>,
    lifetime: i32,
    invited_by: Uuid,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    accepted_at: Option<DateTime<Utc>>,
    accepted_by: Option<Uuid>,
    revoked_at: Option<DateTime<Utc>>,
    tenant_active: bool,
    tenant_slug: String,
    tenant_name: String,
    policy: Json<Policy>,
}

impl Row {
    fn at(self, now: DateTime<Utc>) -> Found {
        let status = match (self.accepted_at, self.revoked_at) {
            (Some(_), _) => InvitationStatus::Accepted,
            (None, Some(_)) => InvitationStatus::Revoked,
            (None, None) if self.expires_at <= now => InvitationStatus::Expired,
            (None, None) => InvitationStatus::Pending,
        };
        Found {
            invitation: Invitation {
                id: self.id,
                email: self.email,
                roles: self.roles,
                message: self.message,
                status,
                invited_by: self.invited_by,
                created_at: self.created_at,
                expires_at: self.expires_at,
                accepted_at: self.accepted_at,
                accepted_by: self.accepted_by,
            },
            secret_hash: self.secret_hash,
            lifetime: TimeDelta::seconds(self.lifetime.into()),
            tenant_active: self.tenant_active,
            tenant_slug: self.tenant_slug,
            tenant_name: self.tenant_name,
            policy: self.policy.0,
        }
    }
}

macro_rules! select {
    ($name:literal, $rest:literal) => {
        concat!(
            "-- identity.invitations.",
            $name,
            "\n\
             SELECT i.id, i.email, i.roles, i.message, i.secret_hash, i.lifetime, i.invited_by, i.created_at, i.expires_at, \
                    i.accepted_at, i.accepted_by, i.revoked_at, t.status = 'active' AS tenant_active, \
                    t.slug AS tenant_slug, t.name AS tenant_name, t.policy \
             FROM identity.invitations i JOIN identity.tenants t ON t.tenant_id = i.tenant_id ",
            $rest
        )
    };
}

/// An invitation that is about to be stored.
pub(crate) struct NewInvitation<'a> {
    /// Its id.
    pub(crate) id: Uuid,
    /// The address.
    pub(crate) email: &'a Email,
    /// The roles.
    pub(crate) roles: &'a [String],
    /// What the mail says besides.
    pub(crate) message: Option<&'a str>,
    /// SHA-256 of the token's secret.
    pub(crate) secret_hash: Vec<u8>,
    /// How long it is good for.
    pub(crate) lifetime: TimeDelta,
    /// Who invites.
    pub(crate) by: UserId,
    /// Now.
    pub(crate) at: DateTime<Utc>,
}

/// Stores an invitation; one that the address had before is taken back.
pub(crate) async fn insert(tx: &mut TenantTx, new: &NewInvitation<'_>) -> Result<(), DbError> {
    query(
        "-- identity.invitations.replace\n\
         UPDATE identity.invitations SET revoked_at = $2 \
         WHERE email = $1 AND accepted_at IS NULL AND revoked_at IS NULL",
    )
    .bind(new.email.as_str())
    .bind(new.at)
    .execute(tx.conn())
    .await?;
    query(
        "-- identity.invitations.insert\n\
         INSERT INTO identity.invitations (id, email, roles, message, secret_hash, lifetime, invited_by, created_at, \
           expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(new.id)
    .bind(new.email.as_str())
    .bind(new.roles)
    .bind(new.message)
    .bind(&new.secret_hash)
    .bind(seconds(new.lifetime))
    .bind(new.by.as_uuid())
    .bind(new.at)
    .bind(new.at + new.lifetime)
    .execute(tx.conn())
    .await?;
    Ok(())
}

fn seconds(lifetime: TimeDelta) -> i32 {
    i32::try_from(lifetime.num_seconds()).unwrap_or(i32::MAX)
}

/// An invitation of the tenant.
pub(crate) async fn find(
    tx: &mut TenantTx,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Found>, DbError> {
    let row: Option<Row> = query_as(select!("find", "WHERE i.id = $1"))
        .bind(id)
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(|row| row.at(now)))
}

/// The same, locked until the transaction ends: of several who accept one, the first does.
pub(crate) async fn lock(
    tx: &mut TenantTx,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Found>, DbError> {
    let row: Option<Row> = query_as(select!("lock", "WHERE i.id = $1 FOR UPDATE OF i"))
        .bind(id)
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(|row| row.at(now)))
}

/// The tenant's invitations, newest first, before one of them.
pub(crate) async fn list(
    tx: &mut TenantTx,
    before: Option<Uuid>,
    limit: u16,
    now: DateTime<Utc>,
) -> Result<Vec<Invitation>, DbError> {
    let rows: Vec<Row> = query_as(select!(
        "list",
        "WHERE $1::uuid IS NULL OR i.id < $1 ORDER BY i.id DESC LIMIT $2"
    ))
    .bind(before)
    .bind(i64::from(limit) + 1)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| row.at(now).invitation).collect())
}

/// Gives an open invitation a new token and its whole time again.
pub(crate) async fn renew(
    tx: &mut TenantTx,
    id: Uuid,
    secret_hash: &[u8],
    expires_at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.invitations.renew\n\
         UPDATE identity.invitations SET secret_hash = $2, expires_at = $3 WHERE id = $1",
    )
    .bind(id)
    .bind(secret_hash)
    .bind(expires_at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes a locked invitation back.
pub(crate) async fn revoke(tx: &mut TenantTx, id: Uuid, at: DateTime<Utc>) -> Result<(), DbError> {
    let sql = "-- identity.invitations.revoke\nUPDATE identity.invitations SET revoked_at = $2 WHERE id = $1";
    query(sql).bind(id).bind(at).execute(tx.conn()).await?;
    Ok(())
}

/// Notes who became a member by a locked invitation.
pub(crate) async fn accept(
    tx: &mut TenantTx,
    id: Uuid,
    by: UserId,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.invitations.accept\n\
         UPDATE identity.invitations SET accepted_at = $2, accepted_by = $3 WHERE id = $1",
    )
    .bind(id)
    .bind(at)
    .bind(by.as_uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether an address, or a person, is a member of the tenant.
pub(crate) async fn is_member(
    tx: &mut TenantTx,
    email: &str,
    person: Option<UserId>,
) -> Result<bool, DbError> {
    Ok(query_scalar(
        "-- identity.invitations.is_member\n\
         SELECT EXISTS (SELECT FROM identity.users u \
           LEFT JOIN identity.memberships m ON m.tenant_id = u.tenant_id AND m.user_id = u.id \
           WHERE (u.email = $1 AND u.id IS DISTINCT FROM $2) OR (u.id = $2 AND m.user_id IS NOT NULL))",
    )
    .bind(email)
    .bind(person.map(UserId::as_uuid))
    .fetch_one(tx.conn())
    .await?)
}

/// Deletes a batch of the invitations of all tenants that were accepted, taken back or ran out before an instant; answers how
/// many.
pub(crate) async fn purge(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    batch: i32,
) -> Result<i64, DbError> {
    Ok(
        query_scalar("-- identity.invitations.purge\nSELECT identity.purge_invitations($1, $2)")
            .bind(before)
            .bind(batch)
            .fetch_one(tx.conn())
            .await?,
    )
}
