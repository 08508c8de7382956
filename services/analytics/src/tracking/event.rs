//! An event as clients send it, and what can be wrong with one.

use bz_kernel::EventId;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest that the properties of one event may be, as JSON text.
const MAX_PROPS_BYTES: usize = 8 * 1024;
/// The most properties of one event.
const MAX_PROPS: usize = 64;
/// How far an event may lie in the future, for clocks that are ahead.
pub(crate) const MAX_AHEAD: TimeDelta = TimeDelta::hours(24);
/// How old an event may be.
pub(crate) const MAX_AGE: TimeDelta = TimeDelta::days(396);
/// The largest amount, either way: a million of them can be added up.
pub(crate) const MAX_AMOUNT_MINOR: u64 = 10_000_000_000_000;
/// The longest path; other texts may have 200 characters.
const MAX_PATH: usize = 500;

/// What an event can be broken down by, in the order of [`TrackedEvent::dimensions`].
pub(crate) const DIMENSIONS: [&str; 6] =
    ["source", "medium", "campaign", "country", "device", "path"];

/// Something that happened.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrackedEvent {
    /// The sender's id of the event; the same id with the same `ts` counts once. UUIDv7 is stored fastest.
    pub event_id: EventId,
    /// What happened, for example `page_view`: 1 to 100 letters, digits, `.`, `_`, `-` or `:`.
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9._:-]+$")]
    pub name: String,
    /// When it happened. Keep it when sending again.
    pub ts: DateTime<Utc>,
    /// The visit it belongs to, at most 200 characters.
    #[schema(max_length = 200)]
    pub session_id: Option<String>,
    /// Who did it, at most 200 characters.
    #[schema(max_length = 200)]
    pub actor_id: Option<String>,
    /// Where the visit came from, as `google`, at most 200 characters.
    #[schema(max_length = 200)]
    pub source: Option<String>,
    /// By what way, as `cpc` or `email`, at most 200 characters.
    #[schema(max_length = 200)]
    pub medium: Option<String>,
    /// The campaign, at most 200 characters.
    #[schema(max_length = 200)]
    pub campaign: Option<String>,
    /// The country, at most 200 characters.
    #[schema(max_length = 200)]
    pub country: Option<String>,
    /// The kind of device, as `mobile`, at most 200 characters.
    #[schema(max_length = 200)]
    pub device: Option<String>,
    /// The page, as `/pricing`, at most 500 characters.
    #[schema(max_length = 500)]
    pub path: Option<String>,
    /// An amount in the currency's smallest unit (cents), at most 10,000,000,000,000 above or below zero.
    pub value_minor: Option<i64>,
    /// ISO 4217 code of the amount; needed with `value_minor`.
    #[schema(min_length = 3, max_length = 3)]
    pub currency: Option<String>,
    /// Anything else: at most 64 members and 8 kB of JSON.
    #[serde(default)]
    pub props: serde_json::Map<String, serde_json::Value>,
}

impl TrackedEvent {
    /// An event with nothing but what each has.
    pub(crate) fn bare(event_id: EventId, name: String, ts: DateTime<Utc>) -> Self {
        Self {
            event_id,
            name,
            ts,
            session_id: None,
            actor_id: None,
            source: None,
            medium: None,
            campaign: None,
            country: None,
            device: None,
            path: None,
            value_minor: None,
            currency: None,
            props: serde_json::Map::new(),
        }
    }

    /// Its values of [`DIMENSIONS`].
    pub(crate) fn dimensions(&self) -> [Option<&str>; 6] {
        [
            self.source.as_deref(),
            self.medium.as_deref(),
            self.campaign.as_deref(),
            self.country.as_deref(),
            self.device.as_deref(),
            self.path.as_deref(),
        ]
    }

    /// An empty text is none: in the counts it stands for "not broken down".
    pub(crate) fn without_empty_texts(mut self) -> Self {
        for text in [
            &mut self.session_id,
            &mut self.actor_id,
            &mut self.source,
            &mut self.medium,
            &mut self.campaign,
            &mut self.country,
            &mut self.device,
            &mut self.path,
        ] {
            text.take_if(|text| text.is_empty());
        }
        self
    }

    /// Whether it is neither too old nor too far ahead.
    pub(crate) fn is_in_time(&self, now: DateTime<Utc>) -> bool {
        (now - MAX_AGE..=now + MAX_AHEAD).contains(&self.ts)
    }

    /// What is wrong with the event, if anything: a code and a sentence.
    pub(crate) fn fault(&self, now: DateTime<Utc>) -> Option<(&'static str, String)> {
        self.fault_of_name_and_time(now)
            .or_else(|| self.fault_of_texts())
            .or_else(|| self.fault_of_amount())
            .or_else(|| self.fault_of_props())
    }

    fn fault_of_name_and_time(&self, now: DateTime<Utc>) -> Option<(&'static str, String)> {
        let named = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-' | b':');
        if self.name.is_empty() || self.name.len() > 100 || !self.name.bytes().all(named) {
            let text = "name must be 1 to 100 letters, digits, '.', '_', '-' or ':'";
            return Some(("invalid_name", text.to_owned()));
        }
        if self.ts > now + MAX_AHEAD {
            let text = "ts is more than 24 hours ahead";
            return Some(("in_the_future", text.to_owned()));
        }
        if self.ts < now - MAX_AGE {
            let text = format!("ts is more than {} days ago", MAX_AGE.num_days());
            return Some(("too_old", text));
        }
        None
    }

    fn fault_of_texts(&self) -> Option<(&'static str, String)> {
        let [source, medium, campaign, country, device, path] = self.dimensions();
        let short = [
            ("session_id", self.session_id.as_deref()),
            ("actor_id", self.actor_id.as_deref()),
            ("source", source),
            ("medium", medium),
            ("campaign", campaign),
            ("country", country),
            ("device", device),
        ];
        let limits = short.into_iter().map(|(name, text)| (name, text, 200));
        let mut limits = limits.chain([("path", path, MAX_PATH)]);
        // Bytes first: they are at hand, and there are never fewer of them.
        let too_long = |text: &str, most| text.len() > most && text.chars().count() > most;
        let (name, _, most) =
            limits.find(|(_, text, most)| text.is_some_and(|text| too_long(text, *most)))?;
        Some(("too_long", format!("{name} may have {most} characters")))
    }

    fn fault_of_amount(&self) -> Option<(&'static str, String)> {
        if self.value_minor.is_some() != self.currency.is_some() {
            let text = "value_minor and currency belong together";
            return Some(("incomplete_amount", text.to_owned()));
        }
        let is_too_large = |amount: i64| amount.unsigned_abs() > MAX_AMOUNT_MINOR;
        if self.value_minor.is_some_and(is_too_large) {
            let text = format!("value_minor may be at most {MAX_AMOUNT_MINOR} above or below zero");
            return Some(("too_large", text));
        }
        let is_code = |code: &str| code.len() == 3 && code.bytes().all(|c| c.is_ascii_uppercase());
        if self.currency.as_deref().is_some_and(|code| !is_code(code)) {
            let text = "currency must be three capital letters, as EUR";
            return Some(("invalid_currency", text.to_owned()));
        }
        None
    }

    fn fault_of_props(&self) -> Option<(&'static str, String)> {
        if self.props.is_empty() {
            return None;
        }
        if self.props.len() > MAX_PROPS {
            let text = format!("props may have {MAX_PROPS} members");
            return Some(("props_too_large", text));
        }
        let bytes = serde_json::to_vec(&self.props).map_or(usize::MAX, |json| json.len());
        let text = "props may have 8 kB as JSON";
        (bytes > MAX_PROPS_BYTES).then(|| ("props_too_large", text.to_owned()))
    }
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
