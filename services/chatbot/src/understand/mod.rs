//! Understanding a message without a model: deterministic rules over words, an own date grammar, and the resolution of
//! which to-do is meant. Pure: no network, no database, no clock of its own.

pub mod dates;
mod intent;
mod lexicon;
mod normalise;
pub mod target;
mod title;

use std::ops::Range;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// What the user wants.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// A new to-do.
    CreateTodo,
    /// To see to-dos.
    ListTodos,
    /// To mark one as done.
    CompleteTodo,
    /// To give one another title.
    RenameTodo,
    /// To give one another due time.
    RescheduleTodo,
    /// To delete one, or all.
    DeleteTodo,
    /// To know how many leads there are.
    CountLeads,
    /// "Yes" to a question.
    ConfirmYes,
    /// "No" to a question.
    ConfirmNo,
    /// To know what can be asked.
    Help,
    /// A greeting or thanks.
    Greeting,
    /// Nothing that is understood.
    Unknown,
}

/// Which to-dos to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Due today.
    Today,
    /// Due tomorrow.
    Tomorrow,
    /// Open and past their time.
    Overdue,
    /// Completed.
    Done,
    /// Open and completed.
    All,
}

/// The parts of a message that an action needs. A due time is a date or an instant, never both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Slots {
    /// The title of a new to-do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The words that name an existing to-do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The title that an existing to-do gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_title: Option<String>,
    /// The instant, when a time of the day was said, resolved in the user's time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// The day, when no time was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_date: Option<NaiveDate>,
    /// Which to-dos to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// Every to-do is meant.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

/// Which part of the chatbot understood the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// The deterministic rules.
    Rules,
    /// A language model; what it proposes is always asked about first.
    Llm,
}

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
}

/// Understands a message as of `now`, for a user who lives in `zone`.
#[must_use]
pub fn understand(message: &str, now: DateTime<Utc>, zone: Tz) -> Understood {
    let reading = intent::read(message);
    let local = now.with_timezone(&zone).naive_local();
    let slots = slots(message, &reading, local, zone);
    Understood {
        intent: reading.intent,
        slots,
        confidence: reading.confidence,
        engine: Engine::Rules,
    }
}

fn slots(message: &str, reading: &intent::Reading, local: NaiveDateTime, zone: Tz) -> Slots {
    let mut slots = Slots {
        filter: reading.filter,
        all: reading.all,
        ..Slots::default()
    };
    match reading.intent {
        Intent::CreateTodo => {
            let mention = dates::find(message, local);
            slots.title = title::of_new(message, reading.argument.clone(), &cuts(mention.as_ref()));
            set_due(&mut slots, mention.as_ref(), zone);
        }
        Intent::DeleteTodo | Intent::CompleteTodo => {
            let mention = dates::find(message, local);
            slots.target =
                title::of_existing(message, reading.argument.clone(), &cuts(mention.as_ref()));
        }
        Intent::RenameTodo => {
            slots.target = title::of_existing(message, reading.argument.clone(), &[]);
            slots.new_title = reading
                .second
                .clone()
                .and_then(|second| title::of_new(message, second, &[]));
        }
        Intent::RescheduleTodo => {
            let second = reading.second.clone().unwrap_or_default();
            let mention = dates::find(&message[second.clone()], local)
                .map(|found| shifted(found, second.start));
            slots.target =
                title::of_existing(message, reading.argument.clone(), &cuts(mention.as_ref()));
            set_due(&mut slots, mention.as_ref(), zone);
        }
        Intent::ListTodos if slots.filter.is_none() => {
            let mention = dates::find(message, local);
            slots.due_date = mention.map(|mention| mention.moment.at.date());
        }
        _ => {}
    }
    slots
}

fn shifted(mention: dates::Mention, by: usize) -> dates::Mention {
    let spans = mention
        .spans
        .into_iter()
        .map(|span| span.start + by..span.end + by)
        .collect();
    dates::Mention { spans, ..mention }
}

/// The bytes that the title loses: the date, unless it says how often.
fn cuts(mention: Option<&dates::Mention>) -> Vec<Range<usize>> {
    mention
        .filter(|mention| !mention.part_of_title)
        .map(|mention| mention.spans.clone())
        .unwrap_or_default()
}

fn set_due(slots: &mut Slots, mention: Option<&dates::Mention>, zone: Tz) {
    let Some(mention) = mention else { return };
    if mention.moment.has_clock {
        slots.due_at = Some(instant(mention.moment.at, zone));
    } else {
        slots.due_date = Some(mention.moment.at.date());
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
