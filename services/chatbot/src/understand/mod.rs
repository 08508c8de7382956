//! Understanding a message without a model: deterministic rules over words, an own date grammar, and the resolution of
//! which to-do is meant. Pure: no network, no database, no clock of its own.

pub mod classify;
mod compound;
pub mod dates;
mod decide;
mod extras;
mod fill;
mod filters;
mod intent;
mod language;
mod lexicon;
mod normalise;
mod numerals;
pub(crate) mod question;
mod ranges;
mod records;
mod recurrence;
mod slots;
pub mod target;
mod title;
mod vocabulary;

use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

pub use decide::{Candidate, decide};
pub use intent::waits_for_answer;
pub use language::{spoken, takes_back};
pub use slots::{Field, Filter, Op, Priority, Range, Slots};
pub use vocabulary::{Engine, Intent, Language, Would};

/// What was understood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Understood {
    /// What the user wants.
    pub intent: Intent,
    /// The parts an action needs.
    pub slots: Slots,
    /// From 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub confidence: f32,
    /// Who understood it.
    pub engine: Engine,
    /// The language it was said in.
    #[serde(default)]
    pub language: Language,
}

/// Below this confidence even a harmless change is asked about.
const SURE: f32 = 0.7;

impl Understood {
    /// Whether a harmless change can be made without asking: the rules, or the classifier, are sure of it. What a model
    /// proposed never is.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.confidence >= SURE && self.engine != Engine::Llm
    }

    /// Whether it is a yes by its words. What the classifier, or a model, only takes for one is asked again.
    #[must_use]
    pub fn is_plain_yes(&self) -> bool {
        self.intent == Intent::ConfirmYes && self.engine == Engine::Rules
    }
}

/// In what a message is said.
#[derive(Debug, Clone, Copy)]
pub struct Situation {
    /// When: "tomorrow" is meant from there.
    pub now: DateTime<Utc>,
    /// Where the user lives.
    pub zone: Tz,
    /// Whether a question waits for a yes or a no, so that "fine" is an answer.
    pub asked: bool,
    /// The language that the client says it is, when it says so.
    pub language: Option<Language>,
    /// The language of the talk before: what two languages have in common is meant in this one.
    pub before: Option<Language>,
}

impl Situation {
    /// At that time and place, with no question waiting.
    #[must_use]
    pub const fn at(now: DateTime<Utc>, zone: Tz) -> Self {
        Self {
            now,
            zone,
            asked: false,
            language: None,
            before: None,
        }
    }
}

/// Everything that a message asks for, in order: one part, or more when it is compound ("add milk and remind me to call
/// Ada tomorrow").
#[must_use]
pub fn understand_all(message: &str, situation: &Situation) -> Vec<Understood> {
    compound::read(message, situation)
}

/// What a message, taken as one request, asks for.
#[must_use]
pub fn understand(message: &str, situation: &Situation) -> Understood {
    let zone = situation.zone;
    let local = situation.now.with_timezone(&zone).naive_local();
    let language = situation
        .language
        .unwrap_or_else(|| language::detect(message, situation.before));
    if let Some(found) = language::read(message, language, local, zone) {
        return found;
    }
    if let Some(found) = records::read(message, local) {
        return Understood {
            intent: found.intent,
            slots: found.slots,
            confidence: found.confidence,
            engine: Engine::Rules,
            language: Language::En,
        };
    }
    let mut reading = intent::read(message);
    let mut engine = Engine::Rules;
    if let Some(verdict) = classify::judged(message, &reading, situation.asked)
        && verdict.engine != Engine::Rules
    {
        reading = intent::reread(message, verdict.intent, verdict.confidence);
        engine = verdict.engine;
    }
    let slots = fill::slots(message, &reading, local, zone);
    Understood {
        intent: fill::intent(&reading),
        slots,
        confidence: reading.confidence,
        engine,
        language: Language::En,
    }
}

/// A local time as an instant. Of a time that comes twice the first is meant; one that a clock change skips is read with the
/// offset that was valid before the change, as RFC 5545 says.
#[must_use]
pub fn instant(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    if let Some(found) = zone.from_local_datetime(&local).earliest() {
        return found.to_utc();
    }
    let before = local - TimeDelta::hours(3);
    let offset = zone.offset_from_utc_datetime(&before).fix();
    (local - offset).and_utc()
}
