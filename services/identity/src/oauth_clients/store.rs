//! SQL of the OAuth clients. Row-level security confines every statement to the tenant of the transaction.

use bz_kernel::{SessionId, TenantId, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sqlx::{FromRow, query, query_as, query_scalar, types::Json};
use uuid::Uuid;

use super::{
    CreateOauthClient, GrantType, OauthClient, OauthClientId, RoleClaimMapping,
    secret::{self, ClientSecret},
};

macro_rules! columns {
    () => {
        "id, name, redirect_uris, post_logout_redirect_uris, grant_types, token_endpoint_auth_method, jwks, \
         backchannel_logout_uri, allowed_scopes, role_claim_mapping, previous_secret_hash IS NOT NULL AS has_previous_secret, created_by, created_at, \
         updated_at, version"
    };
}

#[derive(FromRow)]
struct ClientRow {
    id: Uuid,
    name: String,
    redirect_uris: Vec<String>,
    post_logout_redirect_uris: Vec<String>,
    grant_types: Vec<String>,
    token_endpoint_auth_method: String,
    jwks: Option<Value>,
    backchannel_logout_uri: Option<String>,
    allowed_scopes: Vec<String>,
    role_claim_mapping: Option<Json<RoleClaimMapping>>,
    has_previous_secret: bool,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

impl ClientRow {
    fn of(self, tenant: TenantId) -> Result<OauthClient, DbError> {
        let id = self.id.into();
        let grant_types: Result<_, _> = self.grant_types.iter().map(|name| known(name)).collect();
        Ok(OauthClient {
            id,
            client_id: secret::client_id(tenant, id),
            name: self.name,
            redirect_uris: self.redirect_uris,
            post_logout_redirect_uris: self.post_logout_redirect_uris,
            grant_types: grant_types?,
            token_endpoint_auth_method: known(&self.token_endpoint_auth_method)?,
            jwks: self.jwks,
            backchannel_logout_uri: self.backchannel_logout_uri,
            allowed_scopes: self.allowed_scopes,
            role_claim_mapping: self.role_claim_mapping.map(|Json(mapping)| mapping),
            has_previous_secret: self.has_previous_secret,
            created_by: self.created_by.into(),
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
        })
    }
}

/// A name that the table has; another one was written by a later release.
fn known<T: DeserializeOwned>(name: &str) -> Result<T, DbError> {
    serde_json::from_value(name.into())
        .map_err(|error| DbError::from(sqlx::Error::Decode(error.into())))
}

fn grants(client: &CreateOauthClient) -> Vec<&'static str> {
    client
        .grant_types
        .iter()
        .map(|grant| GrantType::as_str(*grant))
        .collect()
}

/// Stores a client with its first secret, if it has one.
pub(super) async fn insert(
    tx: &mut TenantTx,
    id: OauthClientId,
    by: UserId,
    at: DateTime<Utc>,
    client: &CreateOauthClient,
    secret: Option<&ClientSecret>,
) -> Result<OauthClient, DbError> {
    let row: ClientRow = query_as(concat!(
        "-- identity.oauth_clients.insert\n\
         INSERT INTO identity.oauth_clients (id, name, redirect_uris, post_logout_redirect_uris, grant_types, \
           token_endpoint_auth_method, allowed_scopes, role_claim_mapping, secret_generation, secret_hash, created_by, \
           created_at, updated_at, jwks, backchannel_logout_uri) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $14) RETURNING ",
        columns!()
    ))
    .bind(id.as_uuid())
    .bind(&client.name)
    .bind(&client.redirect_uris)
    .bind(&client.post_logout_redirect_uris)
    .bind(grants(client))
    .bind(client.token_endpoint_auth_method.as_str())
    .bind(&client.allowed_scopes)
    .bind(client.role_claim_mapping.as_ref().map(Json))
    .bind(i32::from(secret.is_some()))
    .bind(secret.map(ClientSecret::hash))
    .bind(by.as_uuid())
    .bind(at)
    .bind(&client.jwks)
    .bind(&client.backchannel_logout_uri)
    .fetch_one(tx.conn())
    .await?;
    row.of(tx.scope().tenant())
}

/// A client.
pub(crate) async fn find(
    tx: &mut TenantTx,
    id: OauthClientId,
) -> Result<Option<OauthClient>, DbError> {
    let tenant = tx.scope().tenant();
    let row: Option<ClientRow> = query_as(concat!(
        "-- identity.oauth_clients.find\nSELECT ",
        columns!(),
        " FROM identity.oauth_clients WHERE id = $1"
    ))
    .bind(id.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    row.map(|row| row.of(tenant)).transpose()
}

/// A client, locked until the end of the transaction, and the generation of its newest secret.
pub(super) async fn find_for_update(
    tx: &mut TenantTx,
    id: OauthClientId,
) -> Result<Option<(OauthClient, i32)>, DbError> {
    let generation: Option<i32> = query_scalar(
        "-- identity.oauth_clients.lock\n\
         SELECT secret_generation FROM identity.oauth_clients WHERE id = $1 FOR UPDATE",
    )
    .bind(id.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    let Some(generation) = generation else {
        return Ok(None);
    };
    Ok(find(tx, id).await?.map(|client| (client, generation)))
}

/// The hashes of a client's live secrets.
pub(crate) async fn secret_hashes(
    tx: &mut TenantTx,
    id: OauthClientId,
) -> Result<Vec<Vec<u8>>, DbError> {
    let hashes: Option<Vec<Vec<u8>>> = query_scalar(
        "-- identity.oauth_clients.secret_hashes\n\
         SELECT array_remove(ARRAY[secret_hash, previous_secret_hash], NULL) FROM identity.oauth_clients WHERE id = $1",
    )
    .bind(id.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(hashes.unwrap_or_default())
}

/// One page and one more, newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    before: Option<OauthClientId>,
    limit: u16,
) -> Result<Vec<OauthClient>, DbError> {
    let tenant = tx.scope().tenant();
    let rows: Vec<ClientRow> = query_as(concat!(
        "-- identity.oauth_clients.list\nSELECT ",
        columns!(),
        " FROM identity.oauth_clients WHERE ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2"
    ))
    .bind(before.map(OauthClientId::as_uuid))
    .bind(i64::from(limit) + 1)
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(|row| row.of(tenant)).collect()
}

/// Writes all writable fields of a client that was locked.
pub(super) async fn update(
    tx: &mut TenantTx,
    id: OauthClientId,
    at: DateTime<Utc>,
    client: &CreateOauthClient,
) -> Result<OauthClient, DbError> {
    let row: ClientRow = query_as(concat!(
        "-- identity.oauth_clients.update\n\
         UPDATE identity.oauth_clients SET name = $2, redirect_uris = $3, post_logout_redirect_uris = $4, \
           grant_types = $5, allowed_scopes = $6, role_claim_mapping = $7, updated_at = $8, version = version + 1, \
           jwks = $9, backchannel_logout_uri = $10 \
         WHERE id = $1 RETURNING ",
        columns!()
    ))
    .bind(id.as_uuid())
    .bind(&client.name)
    .bind(&client.redirect_uris)
    .bind(&client.post_logout_redirect_uris)
    .bind(grants(client))
    .bind(&client.allowed_scopes)
    .bind(client.role_claim_mapping.as_ref().map(Json))
    .bind(at)
    .bind(&client.jwks)
    .bind(&client.backchannel_logout_uri)
    .fetch_one(tx.conn())
    .await?;
    row.of(tx.scope().tenant())
}

/// Gives a client that was locked another secret; the one before stays good, the one before that does not.
pub(super) async fn rotate(
    tx: &mut TenantTx,
    id: OauthClientId,
    at: DateTime<Utc>,
    generation: i32,
    secret: &ClientSecret,
) -> Result<OauthClient, DbError> {
    let row: ClientRow = query_as(concat!(
        "-- identity.oauth_clients.rotate\n\
         UPDATE identity.oauth_clients SET previous_secret_hash = secret_hash, secret_hash = $2, \
           secret_generation = $3, updated_at = $4, version = version + 1 \
         WHERE id = $1 RETURNING ",
        columns!()
    ))
    .bind(id.as_uuid())
    .bind(secret.hash())
    .bind(generation)
    .bind(at)
    .fetch_one(tx.conn())
    .await?;
    row.of(tx.scope().tenant())
}

/// Deletes a client that was locked, with what users allowed it.
pub(super) async fn delete(tx: &mut TenantTx, id: OauthClientId) -> Result<(), DbError> {
    query("-- identity.oauth_clients.delete\nDELETE FROM identity.oauth_clients WHERE id = $1")
        .bind(id.as_uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// The sessions that a client has with all users.
pub(super) async fn sessions_of(
    tx: &mut TenantTx,
    id: OauthClientId,
) -> Result<Vec<SessionId>, DbError> {
    let sessions: Vec<Uuid> = query_scalar(
        "-- identity.oauth_grants.of_client\nSELECT session_id FROM identity.oauth_grants WHERE client_id = $1",
    )
    .bind(id.as_uuid())
    .fetch_all(tx.conn())
    .await?;
    Ok(sessions.into_iter().map(SessionId::from).collect())
}

/// What the audit log says of a client.
pub(super) fn changes(client: &impl Serialize) -> Value {
    serde_json::to_value(client).unwrap_or_default()
}
