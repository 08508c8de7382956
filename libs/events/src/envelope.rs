//! An event, and how it travels.

use bz_http::context;
use bz_kernel::{EventId, TenantId, UserId};
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// The event by which identity tells that a tenant and everything in it is gone for good.
pub const TENANT_DELETED: &str = "tenant.deleted";

/// Something that happened in a service, with what is known about it. It has no `Deserialize`: a [`Consumer`] makes it
/// from a sibling's feed, which is where its tenant may be trusted.
///
/// [`Consumer`]: crate::Consumer
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// The event's id; a consumer that sees it twice does its work once.
    pub id: EventId,
    /// The tenant it happened in.
    pub tenant_id: TenantId,
    /// The event's number. Numbers rise within a transaction; the feed's order is that of transactions first.
    pub seq: i64,
    /// What happened: `lead.created`.
    pub kind: String,
    /// When.
    pub at: DateTime<Utc>,
    /// The person who did it.
    pub actor: Option<UserId>,
    /// The details, which depend on the kind.
    pub data: Value,
    /// The trace in which it happened (W3C Trace Context).
    pub traceparent: Option<String>,
}

impl Envelope {
    /// Whether the event tells that its tenant is gone for good. Only identity's feed may say so.
    #[must_use]
    pub fn tells_of_deleted_tenant(&self) -> bool {
        self.kind == TENANT_DELETED
    }

    /// A span for what is done because of the event, within the trace in which it happened.
    #[must_use]
    pub fn span(&self) -> tracing::Span {
        let span = tracing::info_span!("event", event.id = %self.id, event.kind = self.kind);
        let traceparent = self
            .traceparent
            .as_deref()
            .and_then(|text| HeaderValue::from_str(text).ok());
        if let Some(traceparent) = traceparent {
            let name = HeaderName::from_static(context::TRACEPARENT_HEADER);
            context::connect_span(&span, &HeaderMap::from_iter([(name, traceparent)]));
        }
        span
    }
}

/// An event as the feed sends it, and as its row is.
#[derive(Serialize, Deserialize, sqlx::FromRow)]
pub(crate) struct WireEvent {
    id: Uuid,
    tenant_id: Uuid,
    pub(crate) seq: i64,
    kind: String,
    at: DateTime<Utc>,
    actor: Option<Uuid>,
    data: Value,
    traceparent: Option<String>,
}

impl WireEvent {
    /// The event that a sibling's feed told, which only services are let into.
    #[expect(
        clippy::disallowed_methods,
        reason = "from a sibling's outbox, over its authenticated feed"
    )]
    pub(crate) fn trusted(self) -> Envelope {
        Envelope {
            id: self.id.into(),
            tenant_id: TenantId::trusted(self.tenant_id),
            seq: self.seq,
            kind: self.kind,
            at: self.at,
            actor: self.actor.map(UserId::from),
            data: self.data,
            traceparent: self.traceparent,
        }
    }
}
