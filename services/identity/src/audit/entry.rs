//! An entry as it is answered, and its hash.

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// The hash before the first entry.
pub(super) const NO_HASH: [u8; 32] = [0; 32];

/// Who did it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AuditActor {
    /// `user`, `service_account`, `anonymous` or `system`.
    pub(super) r#type: String,
    /// The user or the service account.
    pub(super) id: Option<Uuid>,
    /// The user who acted in the actor's name.
    pub(super) impersonator: Option<Uuid>,
}

/// To what it was done.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AuditTarget {
    /// The kind of thing: `user`, `session`, `webhook`.
    pub(super) r#type: String,
    /// Its id.
    pub(super) id: Option<Uuid>,
}

/// Something that somebody did.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AuditEntry {
    /// The entry's id.
    pub(super) id: Uuid,
    /// The entry's number in the tenant's log, from 1 without gaps.
    pub(super) seq: i64,
    /// The tenant.
    pub(super) tenant_id: Uuid,
    /// When, with six digits of a second.
    #[serde(serialize_with = "micros")]
    pub(super) at: DateTime<Utc>,
    /// Who.
    pub(super) actor: AuditActor,
    /// What: `session.ended`, `user.registered`.
    pub(super) action: String,
    /// To what.
    pub(super) target: Option<AuditTarget>,
    /// The client's address.
    pub(super) ip: Option<String>,
    /// What the client called itself.
    pub(super) user_agent: Option<String>,
    /// The request's id, as in the logs.
    pub(super) request_id: Option<String>,
    /// `success`, or `failure` for an attempt that was refused.
    pub(super) result: String,
    /// What changed.
    #[schema(value_type = Object)]
    pub(super) changes: Value,
    /// The hash of the entry before this one; zeros for the first.
    #[serde(serialize_with = "hex_text")]
    #[schema(value_type = String)]
    pub(super) prev_hash: Vec<u8>,
    /// SHA-256 of this entry without `hash`, as JSON without spaces and with members in alphabetical order.
    #[serde(serialize_with = "hex_text")]
    #[schema(value_type = String)]
    pub(super) hash: Vec<u8>,
}

impl AuditEntry {
    /// The hash that the entry must have, made from what is answered of it, as anybody with an export can do it.
    pub(super) fn computed_hash(&self) -> serde_json::Result<[u8; 32]> {
        // The members of a value are in order.
        let mut value = serde_json::to_value(self)?;
        if let Some(members) = value.as_object_mut() {
            members.remove("hash");
        }
        let mut hash = NO_HASH;
        hash.copy_from_slice(digest(&SHA256, value.to_string().as_bytes()).as_ref());
        Ok(hash)
    }
}

fn micros<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Micros, true))
}

fn hex_text<S: Serializer>(hash: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(hash))
}
