//! What takes something away is done at the second call only, which has the token that the first one answered. A token is
//! good once, for this user, tool and arguments, for ten minutes.

use aws_lc_rs::digest;
use bz_auth::Caller;
use bz_tenant::DbError;
use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::query;
use uuid::Uuid;

use crate::app::AppState;

/// The argument with the token.
pub(super) const ARGUMENT: &str = "confirm";
/// How long a token is good.
pub(super) const LIFETIME_MINUTES: i64 = 10;

/// Makes a token for a call.
pub(super) async fn ask(
    app: &AppState,
    caller: &Caller,
    tool: &str,
    arguments: &Value,
) -> Result<String, DbError> {
    let sources = &app.core.sources;
    let token = hex::encode(sources.rng.bytes::<16>());
    let now = sources.now();
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let old = query(
        "-- ai.mcp_confirmations.expire\nDELETE FROM ai.mcp_confirmations WHERE expires_at <= $1",
    );
    old.bind(now).execute(tx.conn()).await?;
    let new = query(
        "-- ai.mcp_confirmations.insert\n\
         INSERT INTO ai.mcp_confirmations (id, fingerprint, expires_at) VALUES ($1, $2, $3)",
    );
    new.bind(sources.id::<Uuid>())
        .bind(fingerprint(caller, tool, arguments, &token))
        .bind(now + TimeDelta::minutes(LIFETIME_MINUTES))
        .execute(tx.conn())
        .await?;
    tx.commit().await?;
    Ok(token)
}

/// Whether the token is good for the call. It is not good for another one.
pub(super) async fn redeem(
    app: &AppState,
    caller: &Caller,
    tool: &str,
    arguments: &Value,
    token: &str,
) -> Result<bool, DbError> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let used = query(
        "-- ai.mcp_confirmations.redeem\n\
         DELETE FROM ai.mcp_confirmations WHERE fingerprint = $1 AND expires_at > $2",
    );
    let used = used
        .bind(fingerprint(caller, tool, arguments, token))
        .bind(app.core.sources.now())
        .execute(tx.conn())
        .await?;
    tx.commit().await?;
    Ok(used.rows_affected() == 1)
}

/// Of everything that a token is bound to, so that the database knows neither token nor arguments.
fn fingerprint(caller: &Caller, tool: &str, arguments: &Value, token: &str) -> Vec<u8> {
    // By way of a value, whose maps are sorted: the same arguments have the same text.
    let bound = json!([caller.user.as_uuid(), tool, arguments, token]).to_string();
    digest::digest(&digest::SHA256, bound.as_bytes())
        .as_ref()
        .to_vec()
}
