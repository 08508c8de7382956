//! SQL of guests. Everything that crosses tenants is a function of the schema (`migrations/identity/0240` to `0243`).

use bz_kernel::{SessionId, TenantId, UserId};
use bz_tenant::{DbError, SystemTx, TenantTx};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{FromRow, query_as, query_scalar};
use uuid::Uuid;

use crate::{sessions::store::RevokedBecause, users::Email};

/// A session in any tenant that another one goes on from.
pub(crate) struct Held {
    /// The client that its tokens are given to.
    pub(crate) client_id: String,
    /// What the user calls the device.
    pub(crate) device_name: Option<String>,
    /// When the user proved who they are.
    pub(crate) auth_time: DateTime<Utc>,
    /// How strongly.
    pub(crate) acr: String,
    /// By what.
    pub(crate) amr: Vec<String>,
    /// The absolute end.
    pub(crate) expires_at: DateTime<Utc>,
    /// How long a refresh token waits for its use.
    pub(crate) refresh_lifetime: TimeDelta,
}

#[derive(FromRow)]
struct HeldRow {
    client_id: String,
    device_name: Option<String>,
    auth_time: DateTime<Utc>,
    acr: String,
    amr: Vec<String>,
    expires_at: DateTime<Utc>,
    refresh_lifetime: i32,
}

/// A session that has not ended, of `person` in `tenant`, held until the transaction ends: nobody ends it meanwhile.
pub(crate) async fn hold_session(
    tx: &mut TenantTx,
    tenant: TenantId,
    session: SessionId,
    person: UserId,
    at: DateTime<Utc>,
) -> Result<Option<Held>, DbError> {
    let row: Option<HeldRow> = query_as(
        "-- identity.guests.hold_session\nSELECT * FROM identity.hold_session($1, $2, $3, $4)",
    )
    .bind(tenant.as_uuid())
    .bind(session.as_uuid())
    .bind(person.as_uuid())
    .bind(at)
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Held {
        client_id: row.client_id,
        device_name: row.device_name,
        auth_time: row.auth_time,
        acr: row.acr,
        amr: row.amr,
        expires_at: row.expires_at,
        refresh_lifetime: TimeDelta::seconds(row.refresh_lifetime.into()),
    }))
}

/// Lets a session begin when the one before it did, and end with it at the latest. Answers its end.
pub(crate) async fn carry(
    tx: &mut TenantTx,
    session: SessionId,
    held: &Held,
) -> Result<DateTime<Utc>, DbError> {
    Ok(query_scalar(
        "-- identity.guests.carry\n\
         UPDATE identity.sessions SET auth_time = $2, expires_at = least(expires_at, $3) WHERE id = $1 \
         RETURNING expires_at",
    )
    .bind(session.as_uuid())
    .bind(held.auth_time)
    .bind(held.expires_at)
    .fetch_one(tx.conn())
    .await?)
}

/// Makes an active user of `home` a guest of the transaction's tenant, without a membership; false when there is no such
/// user.
pub(crate) async fn add_guest(
    tx: &mut TenantTx,
    home: TenantId,
    person: UserId,
    at: DateTime<Utc>,
) -> Result<bool, DbError> {
    Ok(
        query_scalar("-- identity.guests.add\nSELECT identity.add_guest($1, $2, $3)")
            .bind(home.as_uuid())
            .bind(person.as_uuid())
            .bind(at)
            .fetch_one(tx.conn())
            .await?,
    )
}

/// Takes a guest of the transaction's tenant away, on both sides; false when there is none.
pub(crate) async fn remove_guest(tx: &mut TenantTx, person: UserId) -> Result<bool, DbError> {
    Ok(
        query_scalar("-- identity.guests.remove\nSELECT identity.remove_guest($1)")
            .bind(person.as_uuid())
            .fetch_one(tx.conn())
            .await?,
    )
}

/// Takes away what other tenants have of a person of the transaction's tenant, before the person is deleted; answers from how
/// many.
pub(crate) async fn forget_guest(
    tx: &mut TenantTx,
    person: UserId,
    at: DateTime<Utc>,
) -> Result<i64, DbError> {
    Ok(
        query_scalar("-- identity.guests.forget\nSELECT identity.forget_guest($1, $2)")
            .bind(person.as_uuid())
            .bind(at)
            .fetch_one(tx.conn())
            .await?,
    )
}

/// Carries address and name of a user at home to where the user is a guest; answers to how many tenants. After every change
/// of either, in its transaction.
pub(crate) async fn spread_profile(
    tx: &mut TenantTx,
    person: UserId,
    at: DateTime<Utc>,
) -> Result<i64, DbError> {
    Ok(
        query_scalar("-- identity.guests.spread_profile\nSELECT identity.spread_profile($1, $2)")
            .bind(person.as_uuid())
            .bind(at)
            .fetch_one(tx.conn())
            .await?,
    )
}

/// Ends the sessions that a person of the transaction's tenant, or every person of it, has as a guest; answers how many.
pub(crate) async fn end_guest_sessions(
    tx: &mut TenantTx,
    person: Option<UserId>,
    because: RevokedBecause,
    at: DateTime<Utc>,
) -> Result<usize, DbError> {
    let ended: i64 = query_scalar(
        "-- identity.guests.end_sessions\nSELECT identity.end_guest_sessions($1, $2, $3)",
    )
    .bind(person.map(UserId::as_uuid))
    .bind(because.as_str())
    .bind(at)
    .fetch_one(tx.conn())
    .await?;
    if ended > 0 {
        let _queued: i64 = query_scalar(
            "-- identity.guests.queue_logouts\nSELECT identity.queue_guest_logouts($1, $2)",
        )
        .bind(person.map(UserId::as_uuid))
        .bind(at)
        .fetch_one(tx.conn())
        .await?;
    }
    Ok(usize::try_from(ended).unwrap_or(0))
}

/// A tenant in which a person may work.
#[derive(FromRow)]
pub(crate) struct Place {
    /// The tenant.
    pub(crate) tenant: Uuid,
    /// Its slug.
    pub(crate) slug: String,
    /// Its name.
    pub(crate) name: String,
    /// The person's role there.
    pub(crate) role: String,
}

/// The tenants of a person, behind one of them.
pub(crate) async fn tenants_of_person(
    tx: &mut SystemTx,
    home: TenantId,
    person: UserId,
    after: Option<Uuid>,
    most: i32,
) -> Result<Vec<Place>, DbError> {
    Ok(query_as(
        "-- identity.guests.tenants_of_person\n\
         SELECT tenant, slug, name, role FROM identity.tenants_of_person($1, $2, $3, $4)",
    )
    .bind(home.as_uuid())
    .bind(person.as_uuid())
    .bind(after)
    .bind(most)
    .fetch_all(tx.conn())
    .await?)
}

/// Slug and name of the tenants in which an address belongs to somebody.
pub(crate) async fn tenants_of_address(
    tx: &mut SystemTx,
    email: &Email,
) -> Result<Vec<(String, String)>, DbError> {
    Ok(query_as(
        "-- identity.guests.tenants_of_address\n\
         SELECT slug, name FROM identity.tenants_of_address($1)",
    )
    .bind(email.as_str())
    .fetch_all(tx.conn())
    .await?)
}

/// Makes `target` the tenant that a login with this address means by default; false when the address has no password there.
pub(crate) async fn move_home(
    tx: &mut TenantTx,
    email: &str,
    target: TenantId,
    verified_only: bool,
) -> Result<bool, DbError> {
    Ok(
        query_scalar("-- identity.guests.move_home\nSELECT identity.move_home($1, $2, $3)")
            .bind(email)
            .bind(target.as_uuid())
            .bind(verified_only)
            .fetch_one(tx.conn())
            .await?,
    )
}
