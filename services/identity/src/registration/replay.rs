//! A registration that is sent again with its `Idempotency-Key`.
//!
//! The answer holds tokens, so that it is not stored as other answers are. What is kept is that the key was used and a
//! digest of everything but the password; whoever repeats the request must know the password, and gets a new session.

use aws_lc_rs::digest;
use bz_http::Problem;
use bz_kernel::UserId;
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{query, query_scalar};

use super::Applicant;
use crate::{
    app::AppState,
    origin::Origin,
    passwords::Verdict,
    problems::overloaded,
    sessions::issue::{self, Grant, NewSession},
    users::store::{self as users, Account},
};

const OPERATION: &str = "registration.register";

/// Remembers that the key was used for this registration.
pub(super) async fn remember(
    tx: &mut TenantTx,
    user: UserId,
    key: &str,
    applicant: &Applicant,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.registration.remember\n\
         INSERT INTO identity.idempotency_keys (user_id, operation, key, request_hash, created_at) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(user.as_uuid())
    .bind(OPERATION)
    .bind(key)
    .bind(digest_of(applicant))
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The account that the same request made before, with a new session; `None` when it made none.
pub(super) async fn replay(
    app: &AppState,
    applicant: &Applicant,
    key: Option<&str>,
    origin: &Origin,
) -> Result<Option<(Account, Grant)>, Problem> {
    let Some(key) = key else { return Ok(None) };
    let Some((account, request_hash)) = find(app, applicant, key).await? else {
        return Ok(None);
    };
    let stored = account.password_hash.as_deref();
    let verdict = app
        .passwords
        .verify(&applicant.password, stored)
        .await
        .map_err(overloaded)?;
    if verdict == Verdict::Mismatch || request_hash != digest_of(applicant) {
        return Err(Problem::idempotency_key_reused());
    }
    let scope = TenantScope::new(account.tenant, Some(account.user));
    let start = async |tx: &mut TenantTx| {
        issue::enter(tx, app, &NewSession::with_password(account.user, origin)).await
    };
    let entered = app
        .core
        .db
        .run::<_, DbError>("identity.registration.replay", &scope, start)
        .await?;
    Ok(entered.ok())
}

async fn find(
    app: &AppState,
    applicant: &Applicant,
    key: &str,
) -> Result<Option<(Account, Vec<u8>)>, Problem> {
    let Some(home) = users::home_of(&app.core.db, &applicant.email).await? else {
        return Ok(None);
    };
    let mut tx = app.core.db.tenant(&TenantScope::new(home, None)).await?;
    let account = users::find_by_email(&mut tx, &applicant.email)
        .await?
        // A session is more than this request may give where a second factor is needed.
        .filter(|account| account.is_active() && account.mfa.is_empty());
    let Some(account) = account else {
        return Ok(None);
    };
    let request_hash: Option<Vec<u8>> = query_scalar(
        "-- identity.registration.recall\n\
         SELECT request_hash FROM identity.idempotency_keys WHERE user_id = $1 AND operation = $2 AND key = $3",
    )
    .bind(account.user.as_uuid())
    .bind(OPERATION)
    .bind(key)
    .fetch_optional(tx.conn())
    .await
    .map_err(DbError::from)?;
    Ok(request_hash.map(|request_hash| (account, request_hash)))
}

fn digest_of(applicant: &Applicant) -> Vec<u8> {
    let parts = [
        applicant.email.as_str(),
        applicant.name.as_deref().unwrap_or_default(),
        &applicant.tenant_name,
    ];
    // No part can contain U+0000.
    digest::digest(&digest::SHA256, parts.join("\0").as_bytes())
        .as_ref()
        .to_vec()
}
