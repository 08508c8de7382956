//! Authorization codes: what a user has just allowed, for an application to fetch.

use bz_kernel::{SessionId, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{FromRow, query, query_as};
use uuid::Uuid;

use crate::{credential::Credential, oauth_clients::OauthClientId};

/// What every code begins with.
pub(super) const PREFIX: &str = "ac1.";
/// How long a code waits for its use.
pub(super) const LIFETIME: TimeDelta = TimeDelta::seconds(60);

/// What a code stands for.
pub(super) struct Code {
    /// The application.
    pub(super) client: OauthClientId,
    /// Who allowed it.
    pub(super) user: UserId,
    /// Where it was sent.
    pub(super) redirect_uri: String,
    /// What was allowed.
    pub(super) scopes: Vec<String>,
    /// For the ID token.
    pub(super) nonce: Option<String>,
    /// SHA-256 of the verifier that the application keeps (RFC 7636).
    pub(super) code_challenge: String,
    /// When the user proved who they are.
    pub(super) auth_time: DateTime<Utc>,
    /// How strongly.
    pub(super) acr: String,
    /// By what.
    pub(super) amr: Vec<String>,
    /// The browser's session: the login that it comes from.
    pub(super) login: SessionId,
}

/// A code that was stored.
pub(super) struct StoredCode {
    /// What it stands for.
    pub(super) code: Code,
    /// SHA-256 of its secret.
    pub(super) secret_hash: Vec<u8>,
    /// When it ends.
    pub(super) expires_at: DateTime<Utc>,
    /// The session that came of its first use.
    pub(super) issued_session: Option<SessionId>,
}

#[derive(FromRow)]
struct CodeRow {
    secret_hash: Vec<u8>,
    client_id: Uuid,
    user_id: Uuid,
    redirect_uri: String,
    scopes: Vec<String>,
    nonce: Option<String>,
    code_challenge: String,
    auth_time: DateTime<Utc>,
    acr: String,
    amr: Vec<String>,
    expires_at: DateTime<Utc>,
    issued_session_id: Option<Uuid>,
    login_session_id: Option<Uuid>,
}

impl From<CodeRow> for StoredCode {
    fn from(row: CodeRow) -> Self {
        Self {
            code: Code {
                client: row.client_id.into(),
                user: row.user_id.into(),
                redirect_uri: row.redirect_uri,
                scopes: row.scopes,
                nonce: row.nonce,
                code_challenge: row.code_challenge,
                auth_time: row.auth_time,
                acr: row.acr,
                amr: row.amr,
                login: row.login_session_id.unwrap_or_default().into(),
            },
            secret_hash: row.secret_hash,
            expires_at: row.expires_at,
            issued_session: row.issued_session_id.map(SessionId::from),
        }
    }
}

/// Stores a code.
pub(super) async fn insert(
    tx: &mut TenantTx,
    credential: &Credential,
    at: DateTime<Utc>,
    code: &Code,
) -> Result<(), DbError> {
    query(
        "-- identity.authorization_codes.insert\n\
         INSERT INTO identity.authorization_codes (id, secret_hash, client_id, user_id, redirect_uri, scopes, nonce, \
           code_challenge, auth_time, acr, amr, created_at, expires_at, login_session_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(credential.id)
    .bind(credential.secret_hash())
    .bind(code.client.as_uuid())
    .bind(code.user.as_uuid())
    .bind(&code.redirect_uri)
    .bind(&code.scopes)
    .bind(&code.nonce)
    .bind(&code.code_challenge)
    .bind(code.auth_time)
    .bind(&code.acr)
    .bind(&code.amr)
    .bind(at)
    .bind(at + LIFETIME)
    .bind(code.login.as_uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A code, locked: of many that redeem it at once, one is first.
pub(super) async fn lock(tx: &mut TenantTx, id: Uuid) -> Result<Option<StoredCode>, DbError> {
    let row: Option<CodeRow> = query_as(
        "-- identity.authorization_codes.lock\n\
         SELECT secret_hash, client_id, user_id, redirect_uri, scopes, nonce, code_challenge, auth_time, acr, amr, \
           expires_at, issued_session_id, login_session_id \
         FROM identity.authorization_codes WHERE id = $1 FOR UPDATE",
    )
    .bind(id)
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(StoredCode::from))
}

/// Notes the use of a code that was locked.
pub(super) async fn consume(
    tx: &mut TenantTx,
    id: Uuid,
    session: SessionId,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.authorization_codes.consume\n\
         UPDATE identity.authorization_codes SET used_at = $2, issued_session_id = $3 WHERE id = $1",
    )
    .bind(id)
    .bind(at)
    .bind(session.as_uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}
