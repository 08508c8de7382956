//! Records as the CRM answers them; what the chatbot does not need is not read.

use bz_kernel::{PipelineId, StageId, UserId};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Kind, Link, RecordId};
use crate::actions::{Due, Target};

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Todo {
    pub(crate) id: RecordId,
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) completed: bool,
    pub(crate) priority: Option<String>,
    pub(crate) recurrence: Option<String>,
    pub(crate) time_zone: Option<String>,
    pub(crate) due_at: Option<DateTime<Utc>>,
    pub(crate) due_date: Option<NaiveDate>,
    pub(crate) assignee_id: Option<UserId>,
    #[serde(default)]
    pub(crate) links: Vec<TodoLink>,
    #[serde(default)]
    pub(crate) version: i64,
}

/// What a to-do is about.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct TodoLink {
    pub(crate) id: RecordId,
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

    /// The to-do as an action keeps it, with what the action may overwrite.
    pub(crate) fn target(&self) -> Target {
        let before = json!({
            "title": self.title, "status": self.status, "priority": self.priority, "due_at": self.due_at,
            "due_date": self.due_date, "recurrence": self.recurrence, "time_zone": self.time_zone,
            "owner_id": self.assignee_id,
        });
        Target::new(Kind::Todo, self.id, &self.title, self.version).with_before(before)
    }

    /// The link to it.
    pub(crate) fn link(&self) -> Link {
        Link::to(Kind::Todo, self.id, &self.title)
    }
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Money {
    pub(crate) amount: String,
    pub(crate) currency: String,
}

/// A lead or a contact.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Lead {
    pub(crate) id: RecordId,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) company_name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) score: Option<i32>,
    pub(crate) grade: Option<String>,
    pub(crate) last_activity_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub(crate) version: i64,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Lead {
    /// What people call it.
    pub(crate) fn name(&self) -> String {
        let names = [&self.first_name, &self.last_name];
        let name: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
        if !name.is_empty() {
            return name.join(" ");
        }
        let other = self.company_name.as_ref().or(self.email.as_ref());
        other.cloned().unwrap_or_else(|| "(no name)".to_owned())
    }

    /// The record as an action keeps it, with what the action may overwrite.
    pub(crate) fn target(&self) -> Target {
        let mut before = json!({
            "first_name": self.first_name, "last_name": self.last_name, "company_name": self.company_name,
            "email": self.email, "phone": self.phone, "status": self.status,
        });
        before["unqualified_reason"] = self
            .rest
            .get("unqualified_reason")
            .cloned()
            .unwrap_or(Value::Null);
        Target::new(Kind::Lead, self.id, &self.name(), self.version).with_before(before)
    }
}

/// A possible sale.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Deal {
    pub(crate) id: RecordId,
    pub(crate) name: String,
    pub(crate) amount: Option<Money>,
    pub(crate) stage_id: Option<StageId>,
    pub(crate) pipeline_id: Option<PipelineId>,
    pub(crate) status: Option<String>,
    pub(crate) lost_reason: Option<String>,
    #[serde(default)]
    pub(crate) version: i64,
}

impl Deal {
    /// The deal as an action keeps it.
    pub(crate) fn target(&self) -> Target {
        let before = json!({ "stage_id": self.stage_id, "lost_reason": self.lost_reason });
        Target::new(Kind::Deal, self.id, &self.name, self.version).with_before(before)
    }
}

/// How deals go from open to won or lost.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Pipeline {
    pub(crate) id: PipelineId,
    pub(crate) name: String,
    pub(crate) stages: Vec<Stage>,
}

/// One step of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Stage {
    pub(crate) id: StageId,
    pub(crate) name: String,
    pub(crate) kind: String,
}

/// A pipeline with what its deals are worth.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Board {
    pub(crate) stages: Vec<BoardStage>,
}

/// A stage with what its deals are worth.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct BoardStage {
    pub(crate) stage: Stage,
    pub(crate) count: i64,
    pub(crate) totals: Vec<Total>,
}

/// What deals are worth together, in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Total {
    pub(crate) currency: String,
    pub(crate) amount: String,
}
