//! SQL of service accounts. Row-level security confines every statement to the tenant of the transaction.

use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, query, query_as, types::Json};
use uuid::Uuid;

use super::{SecretInfo, ServiceAccount, ServiceRole, ServiceStatus};

#[derive(FromRow)]
struct AccountRow {
    tenant_id: Uuid,
    id: Uuid,
    name: String,
    description: Option<String>,
    role: String,
    status: String,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
    jwks: Option<Value>,
    secrets: Json<Vec<SecretInfo>>,
}

impl From<AccountRow> for ServiceAccount {
    #[expect(
        clippy::disallowed_methods,
        reason = "the tenant of a row that row-level security let through"
    )]
    fn from(row: AccountRow) -> Self {
        let tenant = bz_kernel::TenantId::trusted(row.tenant_id);
        Self {
            id: row.id,
            client_id: super::client_id(tenant, row.id),
            name: row.name,
            description: row.description,
            role: ServiceRole::parse(&row.role),
            status: match row.status.as_str() {
                "active" => ServiceStatus::Active,
                _ => ServiceStatus::Disabled,
            },
            jwks: row.jwks,
            secrets: row.secrets.0,
            created_by: row.created_by.into(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

macro_rules! select {
    ($name:literal, $rest:literal) => {
        concat!(
            "-- identity.service_accounts.",
            $name,
            "\n\
             SELECT a.tenant_id, a.id, a.name, a.description, a.role, a.status, a.created_by, a.created_at, a.updated_at, \
               a.version, a.jwks, coalesce((SELECT jsonb_agg(jsonb_build_object('id', s.id, 'created_at', s.created_at, \
                 'last_used_at', s.last_used_at) ORDER BY s.id) FROM identity.service_account_secrets s \
                 WHERE s.tenant_id = a.tenant_id AND s.service_account_id = a.id), '[]') AS secrets \
             FROM identity.service_accounts a ",
            $rest
        )
    };
}

/// An account that is about to be stored.
pub(super) struct NewAccount<'a> {
    pub(super) id: Uuid,
    pub(super) name: &'a str,
    pub(super) description: Option<&'a str>,
    pub(super) role: ServiceRole,
    pub(super) jwks: Option<&'a Value>,
    pub(super) by: UserId,
    pub(super) at: DateTime<Utc>,
}

pub(super) async fn insert(tx: &mut TenantTx, new: &NewAccount<'_>) -> Result<(), DbError> {
    query(
        "-- identity.service_accounts.insert\n\
         INSERT INTO identity.service_accounts (id, name, description, role, created_by, created_at, updated_at, jwks) \
         VALUES ($1, $2, $3, $4, $5, $6, $6, $7)",
    )
    .bind(new.id)
    .bind(new.name)
    .bind(new.description)
    .bind(new.role.as_str())
    .bind(new.by.as_uuid())
    .bind(new.at)
    .bind(new.jwks)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// One page and one more, newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    before: Option<Uuid>,
    limit: u16,
) -> Result<Vec<ServiceAccount>, DbError> {
    let sql = select!(
        "list",
        "WHERE ($1::uuid IS NULL OR a.id < $1) ORDER BY a.id DESC LIMIT $2"
    );
    let rows: Vec<AccountRow> = query_as(sql)
        .bind(before)
        .bind(i64::from(limit) + 1)
        .fetch_all(tx.conn())
        .await?;
    Ok(rows.into_iter().map(ServiceAccount::from).collect())
}

pub(super) async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<ServiceAccount>, DbError> {
    let row: Option<AccountRow> = query_as(select!("find", "WHERE a.id = $1"))
        .bind(id)
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(ServiceAccount::from))
}

/// The account, locked until the end of the transaction. Two statements: what the lock waited for must be seen.
pub(super) async fn find_for_update(
    tx: &mut TenantTx,
    id: Uuid,
) -> Result<Option<ServiceAccount>, DbError> {
    query("-- identity.service_accounts.lock\nSELECT 1 FROM identity.service_accounts WHERE id = $1 FOR UPDATE")
        .bind(id)
        .execute(tx.conn())
        .await?;
    find(tx, id).await
}

/// Writes what may be changed of a locked account.
pub(super) async fn update(
    tx: &mut TenantTx,
    account: &ServiceAccount,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.service_accounts.update\n\
         UPDATE identity.service_accounts SET name = $2, description = $3, role = $4, status = $5, updated_at = $6, \
           version = version + 1, jwks = $7 WHERE id = $1",
    )
    .bind(account.id)
    .bind(&account.name)
    .bind(&account.description)
    .bind(account.role.as_str())
    .bind(account.status.as_str())
    .bind(at)
    .bind(&account.jwks)
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn delete(tx: &mut TenantTx, id: Uuid) -> Result<(), DbError> {
    query(
        "-- identity.service_accounts.delete\nDELETE FROM identity.service_accounts WHERE id = $1",
    )
    .bind(id)
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn insert_secret(
    tx: &mut TenantTx,
    account: Uuid,
    id: Uuid,
    secret_hash: Vec<u8>,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.service_account_secrets.insert\n\
         INSERT INTO identity.service_account_secrets (id, service_account_id, secret_hash, created_at) \
         VALUES ($1, $2, $3, $4)",
    )
    .bind(id)
    .bind(account)
    .bind(secret_hash)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Deletes a secret; false when the account has no such.
pub(super) async fn delete_secret(
    tx: &mut TenantTx,
    account: Uuid,
    id: Uuid,
) -> Result<bool, DbError> {
    let done = query(
        "-- identity.service_account_secrets.delete\n\
         DELETE FROM identity.service_account_secrets WHERE id = $1 AND service_account_id = $2",
    )
    .bind(id)
    .bind(account)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A secret as a login needs it, with the account that it is of.
#[derive(FromRow)]
pub(crate) struct StoredSecret {
    /// The account.
    pub(crate) account: Uuid,
    /// Its role.
    pub(crate) role: String,
    /// Whether it may get tokens.
    pub(crate) active: bool,
    /// SHA-256 of the secret.
    pub(crate) secret_hash: Vec<u8>,
    /// When a token was last given for it.
    pub(crate) last_used_at: Option<DateTime<Utc>>,
}

/// Role and public keys of an account that may get tokens and has keys.
pub(crate) async fn signing(
    tx: &mut TenantTx,
    id: Uuid,
) -> Result<Option<(String, Value)>, DbError> {
    Ok(query_as(
        "-- identity.service_accounts.signing\n\
         SELECT a.role, a.jwks FROM identity.service_accounts a \
         JOIN identity.tenants t ON t.tenant_id = a.tenant_id \
         WHERE a.id = $1 AND a.status = 'active' AND t.status = 'active' AND a.jwks IS NOT NULL",
    )
    .bind(id)
    .fetch_optional(tx.conn())
    .await?)
}

/// The secret with this id.
pub(crate) async fn secret(tx: &mut TenantTx, id: Uuid) -> Result<Option<StoredSecret>, DbError> {
    Ok(query_as(
        "-- identity.service_account_secrets.find\n\
         SELECT a.id AS account, a.role, a.status = 'active' AND t.status = 'active' AS active, s.secret_hash, \
           s.last_used_at \
         FROM identity.service_account_secrets s \
         JOIN identity.service_accounts a ON a.tenant_id = s.tenant_id AND a.id = s.service_account_id \
         JOIN identity.tenants t ON t.tenant_id = s.tenant_id \
         WHERE s.id = $1",
    )
    .bind(id)
    .fetch_optional(tx.conn())
    .await?)
}

/// Notes that a token was given for a secret.
pub(crate) async fn secret_used(
    tx: &mut TenantTx,
    id: Uuid,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.service_account_secrets.used\n\
         UPDATE identity.service_account_secrets SET last_used_at = $2 WHERE id = $1",
    )
    .bind(id)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}
