//! The CRM, over HTTP, with the user's own token: the chatbot may do there what its user may do, and nothing else.

mod client;

use bz_kernel::TodoId;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::Deserialize;

use crate::actions::{Due, Target};

pub(crate) use client::{Crm, Session};

/// A to-do as the CRM answers it; what the chatbot does not need is not read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Todo {
    pub(crate) id: TodoId,
    pub(crate) title: String,
    pub(crate) status: String,
    pub(crate) completed: bool,
    pub(crate) due_at: Option<DateTime<Utc>>,
    pub(crate) due_date: Option<NaiveDate>,
    pub(crate) version: i64,
}

impl Todo {
    /// When it is due.
    pub(crate) fn due(&self) -> Option<Due> {
        self.due_at.map(Due::At).or(self.due_date.map(Due::Date))
    }

    /// The day it is due on, where the user lives.
    pub(crate) fn due_day(&self, zone: Tz) -> Option<NaiveDate> {
        self.due_at
            .map(|at| at.with_timezone(&zone).date_naive())
            .or(self.due_date)
    }

    /// Whether its time has passed and it is still to be done.
    pub(crate) fn is_overdue(&self, now: DateTime<Utc>, zone: Tz) -> bool {
        let today = now.with_timezone(&zone).date_naive();
        let passed = self.due_at.is_some_and(|at| at < now)
            || self.due_date.is_some_and(|date| date < today);
        passed && !self.completed
    }

    /// The to-do as an action keeps it.
    pub(crate) fn target(&self) -> Target {
        Target {
            id: self.id,
            title: self.title.clone(),
            version: self.version,
        }
    }
}

/// Why the CRM did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CrmError {
    /// No connection was made: nothing happened.
    #[error("the CRM cannot be reached")]
    Unreachable,
    /// It did not answer in time or answered an error of its own: unknown what happened.
    #[error("the CRM did not answer")]
    Unavailable,
    /// The user may not.
    #[error("the CRM forbids it")]
    Forbidden,
    /// Not there.
    #[error("the record is not there")]
    Gone,
    /// It changed since the action was decided.
    #[error("the record has changed")]
    Changed,
    /// Not valid, with the reason for the user.
    #[error("the CRM refused: {0}")]
    Refused(String),
}
