//! Ingestion: events become rows and counts in one statement, once however often they are sent.

mod ingest;
pub(crate) mod store;

use bz_kernel::EventId;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

bz_auth::permissions! {
    /// Send events.
    EventsWrite = "events:write",
}

/// The most events that one request may carry.
pub const MAX_BATCH: usize = 5_000;
/// The longest that the properties of one event may be, as JSON text.
const MAX_PROPS_BYTES: usize = 8 * 1024;
/// How far an event may lie in the future, for clocks that are ahead.
const MAX_AHEAD: TimeDelta = TimeDelta::hours(24);
/// How old an event may be.
const MAX_AGE: TimeDelta = TimeDelta::days(396);

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(ingest::track_events))
}

/// Something that happened.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrackedEvent {
    /// The sender's id of the event; the same id counts once.
    pub event_id: EventId,
    /// What happened, for example `page_view`: 1 to 100 letters, digits, `.`, `_`, `-` or `:`.
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9._:-]+$")]
    pub name: String,
    /// When it happened.
    pub ts: DateTime<Utc>,
    /// The visit it belongs to, at most 200 characters.
    #[schema(max_length = 200)]
    pub session_id: Option<String>,
    /// Who did it, at most 200 characters.
    #[schema(max_length = 200)]
    pub actor_id: Option<String>,
    /// An amount in the currency's smallest unit (cents).
    pub value_minor: Option<i64>,
    /// ISO 4217 code of the amount; needed with `value_minor`.
    #[schema(min_length = 3, max_length = 3)]
    pub currency: Option<String>,
    /// Anything else, at most 8 kB of JSON.
    #[serde(default)]
    pub props: serde_json::Map<String, serde_json::Value>,
}

/// Why one event of a batch was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RejectedEvent {
    /// Its place in the request, from 0.
    pub index: usize,
    /// What is wrong, for programs.
    pub code: String,
    /// What is wrong and what to send instead.
    pub detail: String,
}

impl TrackedEvent {
    /// What is wrong with the event, if anything: a code and a sentence.
    pub(crate) fn fault(&self, now: DateTime<Utc>) -> Option<(&'static str, String)> {
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
        let too_long =
            |text: &Option<String>| text.as_ref().is_some_and(|text| text.chars().count() > 200);
        if self.name.is_empty() || self.name.len() > 100 || !self.name.chars().all(named) {
            Some((
                "invalid_name",
                "name must be 1 to 100 letters, digits, '.', '_', '-' or ':'".to_owned(),
            ))
        } else if self.ts > now + MAX_AHEAD {
            Some(("in_the_future", "ts is more than 24 hours ahead".to_owned()))
        } else if self.ts < now - MAX_AGE {
            Some((
                "too_old",
                format!("ts is more than {} days ago", MAX_AGE.num_days()),
            ))
        } else if too_long(&self.session_id) || too_long(&self.actor_id) {
            Some((
                "too_long",
                "session_id and actor_id may have 200 characters".to_owned(),
            ))
        } else if self.value_minor.is_some() != self.currency.is_some() {
            Some((
                "incomplete_amount",
                "value_minor and currency belong together".to_owned(),
            ))
        } else if self
            .currency
            .as_ref()
            .is_some_and(|code| code.len() != 3 || !code.chars().all(|c| c.is_ascii_uppercase()))
        {
            Some((
                "invalid_currency",
                "currency must be three capital letters, as EUR".to_owned(),
            ))
        } else if serde_json::to_vec(&self.props).map_or(usize::MAX, |json| json.len())
            > MAX_PROPS_BYTES
        {
            Some(("props_too_large", "props may have 8 kB as JSON".to_owned()))
        } else {
            None
        }
    }
}
