//! SQL of what users have allowed applications.

use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{query, query_scalar};

use crate::oauth_clients::OauthClientId;

/// The scopes that a user has allowed an application.
pub(super) async fn find(
    tx: &mut TenantTx,
    user: UserId,
    client: OauthClientId,
) -> Result<Vec<String>, DbError> {
    let scopes: Option<Vec<String>> = query_scalar(
        "-- identity.oauth_consents.find\n\
         SELECT scopes FROM identity.oauth_consents WHERE user_id = $1 AND client_id = $2",
    )
    .bind(user.as_uuid())
    .bind(client.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(scopes.unwrap_or_default())
}

/// Adds to what a user has allowed.
pub(super) async fn allow(
    tx: &mut TenantTx,
    user: UserId,
    client: OauthClientId,
    scopes: &[String],
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.oauth_consents.allow\n\
         INSERT INTO identity.oauth_consents AS known (user_id, client_id, scopes, granted_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (tenant_id, user_id, client_id) DO UPDATE SET granted_at = $4, \
           scopes = ARRAY(SELECT DISTINCT unnest(known.scopes || $3) ORDER BY 1)",
    )
    .bind(user.as_uuid())
    .bind(client.as_uuid())
    .bind(scopes)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}
