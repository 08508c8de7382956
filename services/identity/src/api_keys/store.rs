//! SQL of API keys. Row-level security confines every statement to the tenant of the transaction.

use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as};
use uuid::Uuid;

use super::ApiKey;

macro_rules! columns {
    () => {
        "id, owner_id, name, scopes, ip_allow, expires_at, last_used_at, created_at, updated_at, version"
    };
}

#[derive(FromRow)]
struct ApiKeyRow {
    id: Uuid,
    owner_id: Uuid,
    name: String,
    scopes: Vec<String>,
    ip_allow: Vec<String>,
    expires_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

impl From<ApiKeyRow> for ApiKey {
    fn from(row: ApiKeyRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            owner_id: row.owner_id.into(),
            scopes: row.scopes,
            ip_allow: row.ip_allow,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// A key that is about to be stored.
pub(super) struct NewApiKey<'a> {
    pub(super) id: Uuid,
    pub(super) owner: UserId,
    pub(super) name: &'a str,
    pub(super) scopes: &'a [String],
    pub(super) ip_allow: &'a [String],
    pub(super) secret_hash: Vec<u8>,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) at: DateTime<Utc>,
}

pub(super) async fn insert(tx: &mut TenantTx, key: &NewApiKey<'_>) -> Result<ApiKey, DbError> {
    let row: ApiKeyRow = query_as(concat!(
        "-- identity.api_keys.insert\n\
         INSERT INTO identity.api_keys \
           (id, owner_id, name, scopes, ip_allow, secret_hash, expires_at, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) RETURNING ",
        columns!()
    ))
    .bind(key.id)
    .bind(key.owner.as_uuid())
    .bind(key.name)
    .bind(key.scopes)
    .bind(key.ip_allow)
    .bind(&key.secret_hash)
    .bind(key.expires_at)
    .bind(key.at)
    .fetch_one(tx.conn())
    .await?;
    Ok(row.into())
}

/// One page and one more, newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    before: Option<Uuid>,
    limit: u16,
) -> Result<Vec<ApiKey>, DbError> {
    let rows: Vec<ApiKeyRow> = query_as(concat!(
        "-- identity.api_keys.list\nSELECT ",
        columns!(),
        " FROM identity.api_keys WHERE ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2"
    ))
    .bind(before)
    .bind(i64::from(limit) + 1)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(ApiKey::from).collect())
}

pub(super) async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<ApiKey>, DbError> {
    let sql = concat!(
        "-- identity.api_keys.find\nSELECT ",
        columns!(),
        " FROM identity.api_keys WHERE id = $1"
    );
    find_with(tx, sql, id).await
}

pub(super) async fn find_for_update(
    tx: &mut TenantTx,
    id: Uuid,
) -> Result<Option<ApiKey>, DbError> {
    let sql = concat!(
        "-- identity.api_keys.find_for_update\nSELECT ",
        columns!(),
        " FROM identity.api_keys WHERE id = $1 FOR UPDATE"
    );
    find_with(tx, sql, id).await
}

async fn find_with(
    tx: &mut TenantTx,
    sql: &'static str,
    id: Uuid,
) -> Result<Option<ApiKey>, DbError> {
    let row: Option<ApiKeyRow> = query_as(sql).bind(id).fetch_optional(tx.conn()).await?;
    Ok(row.map(ApiKey::from))
}

/// Writes what may be changed of a locked key.
pub(super) async fn update(
    tx: &mut TenantTx,
    key: &ApiKey,
    at: DateTime<Utc>,
) -> Result<ApiKey, DbError> {
    let row: ApiKeyRow = query_as(concat!(
        "-- identity.api_keys.update\n\
         UPDATE identity.api_keys SET name = $2, scopes = $3, ip_allow = $4, expires_at = $5, updated_at = $6, \
           version = version + 1 WHERE id = $1 RETURNING ",
        columns!()
    ))
    .bind(key.id)
    .bind(&key.name)
    .bind(&key.scopes)
    .bind(&key.ip_allow)
    .bind(key.expires_at)
    .bind(at)
    .fetch_one(tx.conn())
    .await?;
    Ok(row.into())
}

/// Gives a locked key another secret.
pub(super) async fn replace_secret(
    tx: &mut TenantTx,
    id: Uuid,
    secret_hash: Vec<u8>,
    at: DateTime<Utc>,
) -> Result<ApiKey, DbError> {
    let row: ApiKeyRow = query_as(concat!(
        "-- identity.api_keys.replace_secret\n\
         UPDATE identity.api_keys SET secret_hash = $2, updated_at = $3, version = version + 1 \
         WHERE id = $1 RETURNING ",
        columns!()
    ))
    .bind(id)
    .bind(secret_hash)
    .bind(at)
    .fetch_one(tx.conn())
    .await?;
    Ok(row.into())
}

/// Deletes a key; false when there is none.
pub(super) async fn delete(tx: &mut TenantTx, id: Uuid) -> Result<bool, DbError> {
    let done = query("-- identity.api_keys.delete\nDELETE FROM identity.api_keys WHERE id = $1")
        .bind(id)
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// A key as its verification needs it.
#[derive(FromRow)]
pub(super) struct Stored {
    pub(super) owner_id: Uuid,
    pub(super) scopes: Vec<String>,
    pub(super) ip_allow: Vec<String>,
    pub(super) secret_hash: Vec<u8>,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) last_used_at: Option<DateTime<Utc>>,
}

pub(super) async fn stored(tx: &mut TenantTx, id: Uuid) -> Result<Option<Stored>, DbError> {
    Ok(query_as(
        "-- identity.api_keys.stored\n\
         SELECT owner_id, scopes, ip_allow, secret_hash, expires_at, last_used_at \
         FROM identity.api_keys WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(tx.conn())
    .await?)
}

/// Notes that a key is used.
pub(super) async fn used(tx: &mut TenantTx, id: Uuid, at: DateTime<Utc>) -> Result<(), DbError> {
    query(
        "-- identity.api_keys.used\n\
         UPDATE identity.api_keys SET last_used_at = $2 WHERE id = $1",
    )
    .bind(id)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}
