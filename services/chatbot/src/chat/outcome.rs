//! What a message led to.

use chrono::{DateTime, Utc};

use super::confirmations::Pending;
use crate::actions::done::{Done, DoneAction};
use crate::actions::{Action, ActionId, Answer};
use crate::crm::Link;
use crate::failure::Failure;
use crate::queries::answer::Citation;
use crate::understand::{Understood, Would};
use crate::wording::{Voice, keys};

/// What a message led to.
pub(super) struct Outcome {
    pub(super) understood: Understood,
    /// What else the message asks for.
    pub(super) further: Vec<Understood>,
    pub(super) would: Would,
    pub(super) reply: String,
    pub(super) degraded: Vec<&'static str>,
    /// A new question, with its summary.
    pub(super) question: Option<(Action, String)>,
    /// The old question, when it waits on.
    pub(super) still_waiting: Option<Pending>,
    pub(super) waiting: Waiting,
    /// What was done, to be kept.
    pub(super) done: Vec<Done>,
    /// The same as it is shown.
    pub(super) actions: Vec<DoneAction>,
    pub(super) links: Vec<Link>,
    pub(super) citations: Vec<Citation>,
    /// Whether the words are those of documents, which nobody changes.
    pub(super) quotes: bool,
    /// Why nothing was done, for clients that confirm, or take back, by id.
    pub(super) failure: Option<Why>,
}

/// Why nothing was done.
#[derive(Debug, Clone)]
pub(super) enum Why {
    /// A part of the platform did not do it.
    Failed(Failure),
    /// Somebody was faster.
    Used,
    /// It came too late.
    Expired(DateTime<Utc>),
}

/// What becomes of the question that waited before this message.
pub(super) enum Waiting {
    Stays,
    Ends(&'static str),
    /// It was taken for its yes, but could not be carried out.
    Returns(ActionId),
}

impl Outcome {
    /// Only words.
    pub(super) fn say(understood: Understood, would: Would, reply: impl Into<String>) -> Self {
        Self {
            understood,
            further: Vec::new(),
            would,
            reply: reply.into(),
            degraded: Vec::new(),
            question: None,
            still_waiting: None,
            waiting: Waiting::Stays,
            done: Vec::new(),
            actions: Vec::new(),
            links: Vec::new(),
            citations: Vec::new(),
            quotes: false,
            failure: None,
        }
    }

    /// An answer.
    pub(super) fn answer(understood: Understood, answer: Answer) -> Self {
        Self {
            quotes: answer.citations.iter().any(|one| one.passage.is_some()),
            links: answer.links,
            citations: answer.citations,
            ..Self::say(understood, answer.would, answer.text)
        }
    }

    /// A part of the platform did not do it.
    pub(super) fn failed(
        understood: Understood,
        voice: Voice,
        failure: &Failure,
        writing: bool,
    ) -> Self {
        let degraded = failure.why.is_outage().then(|| failure.part.name());
        Self {
            degraded: degraded.into_iter().collect(),
            failure: Some(Why::Failed(failure.clone())),
            ..Self::say(understood, Would::Nothing, voice.failed(failure, writing))
        }
    }

    /// Whether it can be said in other words: it tells what was done or what there is, and nothing went wrong.
    pub(super) fn is_plain(&self) -> bool {
        let waits = self.question.is_some() || self.still_waiting.is_some();
        matches!(self.would, Would::Act | Would::Answer)
            && !(waits || self.quotes || self.failure.is_some())
    }

    /// The same and what the next part of the message led to. A conversation waits for one answer at a time.
    pub(super) fn and(mut self, next: Self, voice: Voice) -> Self {
        let one_too_many = self.question.is_some() && next.question.is_some();
        let said = if one_too_many {
            voice.word(keys::ONE_QUESTION)
        } else {
            next.reply
        };
        self.reply = format!("{}\n{said}", self.reply);
        self.question = self.question.or(next.question);
        self.further.push(next.understood);
        for part in next.degraded {
            if !self.degraded.contains(&part) {
                self.degraded.push(part);
            }
        }
        self.done.extend(next.done);
        self.actions.extend(next.actions);
        self.links.extend(next.links);
        self.citations.extend(next.citations);
        self.quotes |= next.quotes;
        self
    }
}
