//! SQL of one-time tokens.

use bz_kernel::UserId;
use bz_tenant::{DbError, SystemTx, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use super::{Kind, Token};
use crate::credential::Credential;

pub(super) async fn insert(
    tx: &mut TenantTx,
    kind: Kind,
    credential: &Credential,
    token: &Token,
    at: DateTime<Utc>,
    expires: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.one_time_tokens.insert\n\
         INSERT INTO identity.one_time_tokens (id, user_id, kind, email, secret_hash, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(credential.id)
    .bind(token.user.as_uuid())
    .bind(kind.name())
    .bind(&token.email)
    .bind(credential.secret_hash())
    .bind(at)
    .bind(expires)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A good token, without using it up.
pub(crate) async fn peek(
    tx: &mut TenantTx,
    kind: Kind,
    credential: &Credential,
    now: DateTime<Utc>,
) -> Result<Option<Token>, DbError> {
    let row: Option<(Uuid, String)> = query_as(
        "-- identity.one_time_tokens.peek\n\
         SELECT user_id, email FROM identity.one_time_tokens \
         WHERE id = $1 AND kind = $2 AND secret_hash = $3 AND used_at IS NULL AND expires_at > $4",
    )
    .bind(credential.id)
    .bind(kind.name())
    .bind(credential.secret_hash())
    .bind(now)
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(token))
}

/// One statement decides: of several at once the first one's row lock makes the others see a token that was used.
pub(super) async fn consume(
    tx: &mut TenantTx,
    kind: Kind,
    credential: &Credential,
    now: DateTime<Utc>,
) -> Result<Option<Token>, DbError> {
    let row: Option<(Uuid, String)> = query_as(
        "-- identity.one_time_tokens.consume\n\
         UPDATE identity.one_time_tokens SET used_at = $4 \
         WHERE id = $1 AND kind = $2 AND secret_hash = $3 AND used_at IS NULL AND expires_at > $4 \
         RETURNING user_id, email",
    )
    .bind(credential.id)
    .bind(kind.name())
    .bind(credential.secret_hash())
    .bind(now)
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(token))
}

fn token((user, email): (Uuid, String)) -> Token {
    Token {
        user: user.into(),
        email,
    }
}

pub(super) async fn retire_kind(
    tx: &mut TenantTx,
    user: UserId,
    kind: Kind,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.one_time_tokens.retire_kind\n\
         UPDATE identity.one_time_tokens SET used_at = $3 WHERE user_id = $1 AND kind = $2 AND used_at IS NULL",
    )
    .bind(user.as_uuid())
    .bind(kind.name())
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn retire(
    tx: &mut TenantTx,
    user: UserId,
    except: Option<Kind>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.one_time_tokens.retire\n\
         UPDATE identity.one_time_tokens SET used_at = $3 \
         WHERE user_id = $1 AND kind IS DISTINCT FROM $2 AND used_at IS NULL",
    )
    .bind(user.as_uuid())
    .bind(except.map(Kind::name))
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How many tokens of a kind a user got since an instant.
pub(crate) async fn issued_since(
    tx: &mut TenantTx,
    user: UserId,
    kind: Kind,
    since: DateTime<Utc>,
) -> Result<i64, DbError> {
    let count = query_scalar(
        "-- identity.one_time_tokens.issued_since\n\
         SELECT count(*) FROM identity.one_time_tokens WHERE user_id = $1 AND kind = $2 AND created_at > $3",
    )
    .bind(user.as_uuid())
    .bind(kind.name())
    .bind(since)
    .fetch_one(tx.conn())
    .await?;
    Ok(count)
}

/// Deletes a batch of the tokens of all tenants that expired before an instant; answers how many.
pub(crate) async fn purge(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    batch: i32,
) -> Result<i64, DbError> {
    let deleted = query_scalar(
        "-- identity.one_time_tokens.purge\nSELECT identity.purge_one_time_tokens($1, $2)",
    )
    .bind(before)
    .bind(batch)
    .fetch_one(tx.conn())
    .await?;
    Ok(deleted)
}
