//! Which entries are wanted.

use chrono::{DateTime, Utc};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

/// Which entries are wanted: those that fit everything that is given.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub(super) actor: Option<Uuid>,
    pub(super) action: Option<String>,
    pub(super) target: Option<Uuid>,
    pub(super) from: Option<DateTime<Utc>>,
    pub(super) to: Option<DateTime<Utc>>,
}

impl Filter {
    /// Adds the conditions to a statement. Only those that are given stand in it, so that each combination has the plan
    /// that fits it.
    pub(super) fn push(&self, sql: &mut QueryBuilder<'_, Postgres>) {
        if let Some(actor) = self.actor {
            sql.push(" AND actor_id = ").push_bind(actor);
        }
        if let Some(action) = &self.action {
            sql.push(" AND action = ").push_bind(action.clone());
        }
        if let Some(target) = self.target {
            sql.push(" AND target_id = ").push_bind(target);
        }
        if let Some(from) = self.from {
            sql.push(" AND at >= ").push_bind(from);
        }
        if let Some(to) = self.to {
            sql.push(" AND at < ").push_bind(to);
        }
    }

    /// The list's name with its filters, to which cursors are bound.
    pub(super) fn list_name(&self) -> String {
        format!("audit-log?{self:?}")
    }
}
