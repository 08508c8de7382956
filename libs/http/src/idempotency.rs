//! `Idempotency-Key`: a request that creates something may be sent again and creates nothing again.

use aws_lc_rs::digest;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use bz_kernel::{Clock, UserId};
use bz_tenant::{Db, DbError, TenantScope, TenantTx};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{query, query_as};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};
use uuid::Uuid;

use crate::etag::header_parameter;
use crate::{Json, Problem, etag};

/// Header with the key.
pub(crate) const KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Header of an answer that was given before.
pub(crate) const REPLAYED_HEADER: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest key.
const MAX_KEY: usize = 255;

/// The key that the client chose, if any: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdempotencyKey(Option<String>);

impl IdempotencyKey {
    /// The key of a call that does not come with a request.
    #[must_use]
    pub fn of(key: &str) -> Self {
        Self(Some(key.to_owned()))
    }

    /// The key, for an operation that remembers it in its own way.
    #[must_use]
    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(KEY_HEADER) else {
            return Ok(Self(None));
        };
        let key = value.to_str().ok().filter(|key| {
            (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic())
        });
        key.map(|key| Self(Some(key.to_owned()))).ok_or_else(|| {
            Problem::invalid_parameter(
                "Idempotency-Key",
                "invalid_value",
                "must be 1 to 255 visible ASCII characters, for example a UUID",
            )
        })
    }
}

impl IntoParams for IdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = "Makes the request repeatable: the same key with the same body is answered once more with the first \
                    answer.";
        vec![header_parameter("Idempotency-Key", text)]
    }
}

/// What was created, now or by the same request before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created<T> {
    /// The record.
    pub value: T,
    /// Whether the answer was given before.
    pub replayed: bool,
}

impl<T> Created<T> {
    /// The same of another value.
    pub fn map<U>(self, other: impl FnOnce(T) -> U) -> Created<U> {
        Created {
            value: other(self.value),
            replayed: self.replayed,
        }
    }
}

impl<T: Serialize> Created<T> {
    /// 201 with the record.
    pub fn into_response(self) -> Response {
        self.respond(None)
    }

    /// 201 with the record and its version as `ETag`.
    pub fn into_response_with(self, version: impl FnOnce(&T) -> i64) -> Response {
        let tag = etag(version(&self.value));
        self.respond(Some(tag))
    }

    fn respond(self, tag: Option<HeaderValue>) -> Response {
        let mut response = (StatusCode::CREATED, Json(self.value)).into_response();
        if let Some(tag) = tag {
            response.headers_mut().insert(header::ETAG, tag);
        }
        if self.replayed {
            response
                .headers_mut()
                .insert(REPLAYED_HEADER, HeaderValue::from_static("true"));
        }
        response
    }
}

/// Runs `create` in a transaction and commits. With a key, the answer is kept in the same transaction, and a request
/// with the same key gets it again; two such requests at once wait for each other.
///
/// # Errors
/// What `create` fails with; 422 `idempotency_key_reused` when the key was used with another body.
pub async fn idempotent<T: Serialize + DeserializeOwned>(
    (db, clock): (&Db, &Clock),
    scope: &TenantScope,
    key: &IdempotencyKey,
    operation: &'static str,
    request: &impl Serialize,
    create: impl AsyncFnOnce(&mut TenantTx) -> Result<T, Problem>,
) -> Result<Created<T>, Problem> {
    let mut tx = db.tenant(scope).await?;
    let Some(key) = &key.0 else {
        let value = create(&mut tx).await?;
        tx.commit().await?;
        return Ok(Created {
            value,
            replayed: false,
        });
    };
    // By way of a value, whose maps are sorted: the same request has the same text.
    let request = serde_json::to_value(request).map_err(Problem::internal)?;
    let request = request.to_string();
    let slot = Slot {
        user: scope.user().map_or(Uuid::nil(), UserId::as_uuid),
        operation,
        key,
        request_hash: digest::digest(&digest::SHA256, request.as_bytes()),
    };
    if !slot.take(&mut tx, clock).await? {
        let value =
            serde_json::from_slice(&slot.answer(&mut tx).await?).map_err(Problem::internal)?;
        return Ok(Created {
            value,
            replayed: true,
        });
    }
    let value = create(&mut tx).await?;
    let body = serde_json::to_vec(&value).map_err(Problem::internal)?;
    slot.keep(&mut tx, &body).await?;
    tx.commit().await?;
    Ok(Created {
        value,
        replayed: false,
    })
}

/// The place of one key.
struct Slot<'a> {
    user: Uuid,
    operation: &'static str,
    key: &'a str,
    request_hash: digest::Digest,
}

impl Slot<'_> {
    /// Takes the place; false when another request has it. Waits while that one is at work.
    async fn take(&self, tx: &mut TenantTx, clock: &Clock) -> Result<bool, DbError> {
        let sql = format!(
            "-- {schema}.idempotency_keys.take\n\
             INSERT INTO {schema}.idempotency_keys (user_id, operation, key, request_hash, created_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            schema = tx.schema()
        );
        let done = query(&sql)
            .bind(self.user)
            .bind(self.operation)
            .bind(self.key)
            .bind(self.request_hash.as_ref())
            .bind(clock.now())
            .execute(tx.conn())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// What the request that took the place was answered.
    async fn answer(&self, tx: &mut TenantTx) -> Result<Vec<u8>, Problem> {
        let sql = format!(
            "-- {schema}.idempotency_keys.find\n\
             SELECT request_hash, body FROM {schema}.idempotency_keys \
             WHERE user_id = $1 AND operation = $2 AND key = $3",
            schema = tx.schema()
        );
        let row: Option<(Vec<u8>, Option<Vec<u8>>)> = query_as(&sql)
            .bind(self.user)
            .bind(self.operation)
            .bind(self.key)
            .fetch_optional(tx.conn())
            .await
            .map_err(DbError::from)?;
        match row {
            Some((hash, _)) if hash != self.request_hash.as_ref() => {
                Err(Problem::idempotency_key_reused())
            }
            Some((_, Some(body))) => Ok(body),
            // Only a retention job removes a key, and only an old one; asking again succeeds.
            _ => Err(Problem::idempotency_in_progress()),
        }
    }

    /// Keeps the answer.
    async fn keep(&self, tx: &mut TenantTx, body: &[u8]) -> Result<(), DbError> {
        let sql = format!(
            "-- {schema}.idempotency_keys.keep\n\
             UPDATE {schema}.idempotency_keys SET status = 201, body = $4 \
             WHERE user_id = $1 AND operation = $2 AND key = $3",
            schema = tx.schema()
        );
        query(&sql)
            .bind(self.user)
            .bind(self.operation)
            .bind(self.key)
            .bind(body)
            .execute(tx.conn())
            .await?;
        Ok(())
    }
}
