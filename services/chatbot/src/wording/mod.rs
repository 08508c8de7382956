//! What the chatbot says, from the templates of a catalogue in the user's language; numbers and titles come from results
//! only. Questions about leads, deals and numbers are understood in English, so `lists` has their answers in English.

mod actions;
mod catalogue;
pub(crate) mod keys;
mod lists;
mod todos;

use crate::crm::CrmError;
use crate::failure::{Failure, Part};
use crate::members::Unclear;
use keys::Key;

pub(crate) use catalogue::Voice;
pub(crate) use lists::{SHOWN, conditions, count, kind_of, listed, person};
pub(crate) use todos::sort;

/// The most titles that a sentence names.
const NAMED: usize = 5;

impl Voice {
    /// The question that waits for a yes.
    pub(crate) fn question(&self, summary: &str) -> String {
        self.say(keys::QUESTION, [("summary", summary)])
    }

    /// The question about what has changed since it was asked about.
    pub(crate) fn changed(&self, question: &str) -> String {
        self.say(keys::CHANGED_MEANWHILE, [("question", question)])
    }

    /// What was taken back.
    pub(crate) fn undone(&self, titles: &[&str]) -> String {
        let others = titles.len().saturating_sub(NAMED);
        let variables = [("titles", quoted(titles).into()), ("others", others.into())];
        self.say::<fluent_bundle::FluentValue<'_>>(keys::UNDONE, variables)
    }

    /// What is said when a part of the platform did not do it.
    pub(crate) fn failed(&self, failure: &Failure, writing: bool) -> String {
        let of = |key: Key| self.say(key, [("part", failure.part.name())]);
        match &failure.why {
            CrmError::Unavailable if writing => of(keys::FAILED_UNKNOWN),
            CrmError::Unavailable | CrmError::Unreachable => of(keys::FAILED_UNREACHABLE),
            CrmError::Forbidden => of(keys::FAILED_FORBIDDEN),
            CrmError::Gone => self.word(keys::FAILED_GONE),
            CrmError::Changed => self.word(keys::FAILED_CHANGED),
            CrmError::Refused(detail) if failure.part == Part::Agents => {
                self.say(keys::FAILED_NO_AGENT, [("detail", detail)])
            }
            CrmError::Refused(detail) => self.say(
                keys::FAILED_REFUSED,
                [("part", failure.part.name()), ("detail", detail)],
            ),
        }
    }

    /// What is said when it is not clear who is meant.
    pub(crate) fn unclear(&self, person: &Unclear) -> String {
        match person {
            Unclear::Nobody(name) => self.say(keys::NOBODY_CALLED, [("name", name)]),
            Unclear::Several(names) => {
                let or = format!(" {} ", self.word(keys::OR));
                self.say(keys::WHOM, [("names", names.join(&or))])
            }
        }
    }

    /// What can be said first.
    pub(crate) fn suggestions(&self) -> Vec<String> {
        let lines = self.word(keys::SUGGESTIONS);
        lines.lines().map(str::to_owned).collect()
    }
}

/// The first titles, in quotation marks.
fn quoted(titles: &[&str]) -> String {
    let named: Vec<String> = titles
        .iter()
        .take(NAMED)
        .map(|title| format!("\"{title}\""))
        .collect();
    named.join(", ")
}
