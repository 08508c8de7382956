//! Which events are meant: a name, and conditions on the columns that every event has.

use bz_http::Errors;
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};
use utoipa::ToSchema;

use crate::{
    dashboards::check,
    query::{Filter, FilterOperator},
};

/// The columns of events that can be filtered by.
const DIMENSIONS: [&str; 6] = ["source", "medium", "campaign", "country", "device", "path"];

/// Events of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventMatch {
    /// Their name, as `page_view`; all events when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100)]
    pub event: Option<String>,
    /// Conditions on `source`, `medium`, `campaign`, `country`, `device`, `path`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub filters: Vec<Filter>,
}

/// Who is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CountBy {
    /// People: `actor_id`.
    #[default]
    Actor,
    /// Visits: `session_id`.
    Session,
}

impl CountBy {
    /// The column with the id.
    pub(super) const fn column(self) -> &'static str {
        match self {
            Self::Actor => "actor_id",
            Self::Session => "session_id",
        }
    }
}

impl EventMatch {
    pub(super) fn check(&self, errors: &mut Errors, at: &str) {
        if self
            .event
            .as_ref()
            .is_some_and(|name| name.is_empty() || name.len() > 100)
        {
            errors.add(
                format!("{at}/event"),
                "invalid_text",
                "must have 1 to 100 characters",
            );
        }
        check::filters(errors, &format!("{at}/filters"), &self.filters, |name| {
            DIMENSIONS.contains(&name)
        });
    }

    /// Adds a condition that is true of these events.
    pub(super) fn push<'a>(&'a self, sql: &mut QueryBuilder<'a, Postgres>) {
        sql.push("(");
        match &self.event {
            Some(name) => sql.push("name = ").push_bind(name),
            None => sql.push("true"),
        };
        for filter in &self.filters {
            if let Some(column) = DIMENSIONS.iter().find(|name| **name == filter.dimension) {
                sql.push(" AND ");
                push_filter(sql, column, filter);
            }
        }
        sql.push(")");
    }
}

/// Adds a filter on `expression`, which is text and our own.
pub(super) fn push_filter<'a>(
    sql: &mut QueryBuilder<'a, Postgres>,
    expression: &str,
    filter: &'a Filter,
) {
    let expression = format!("coalesce({expression}, '')");
    match filter.operator {
        FilterOperator::In => sql
            .push(expression)
            .push(" = ANY (")
            .push_bind(&filter.values)
            .push(")"),
        FilterOperator::NotIn => sql
            .push(expression)
            .push(" <> ALL (")
            .push_bind(&filter.values)
            .push(")"),
        FilterOperator::Contains => {
            // Not LIKE: what stands in a value is never a pattern.
            sql.push("EXISTS (SELECT 1 FROM unnest(")
                .push_bind(&filter.values);
            sql.push("::text[]) AS part WHERE strpos(lower(")
                .push(expression)
                .push("), lower(part)) > 0)")
        }
    };
}
