//! Funnels: how many come to each of several steps. Of events (people or visits, in order, within a window) and of deals
//! (stages; in both of the ways that sales systems count, since the answers differ).

pub(super) mod endpoint;
mod store;
mod walk;

use bz_http::{Errors, Problem};
use bz_tenant::TenantTx;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    events::{CountBy, EventMatch},
    pieces::{Pieces, days_of, zone},
    retention::share,
};
use crate::{
    dashboards::{View, check},
    query::{ColumnKind, Filter, Frame, Granularity, Range, Row, Unit},
    version,
};

/// Steps that people or deals go through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FunnelQuery {
    /// The steps, 2 to 10: all events, or all stages of deals.
    #[schema(min_items = 2, max_items = 10)]
    pub steps: Vec<FunnelStep>,
    /// Of events: who is counted.
    #[serde(default)]
    pub count_by: CountBy,
    /// Of events: within how many hours of the first step the others have to come, 1 to 8,784; 720 when not given.
    #[serde(default = "thirty_days")]
    #[schema(minimum = 1, maximum = 8784)]
    pub window_hours: u16,
    /// Of deals: whether a deal has to have been in all stages before.
    #[serde(default)]
    pub stages: StageMode,
    /// Whose steps: of those who began in the range, or all steps in the range.
    #[serde(default)]
    pub by: FunnelBy,
    /// Of deals: which deals, by `pipeline`, `owner`, `source`, or what else they have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub filters: Vec<Filter>,
}

const fn thirty_days() -> u16 {
    720
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FunnelStep {
    /// Its name for people; what it counts when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 120)]
    pub label: Option<String>,
    /// An event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<EventMatch>,
    /// A deal in this stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200)]
    pub stage: Option<String>,
    /// A deal that was closed this way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// How a deal was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Won.
    Won,
    /// Lost.
    Lost,
}

/// Which deals a stage counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageMode {
    /// Those that were in all stages before it, in their order.
    #[default]
    All,
    /// Those that were in it, whatever they left out. A step can count more than the one before.
    Any,
}

/// Whose steps are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FunnelBy {
    /// Of those who took the first step in the range (of deals: that were made in it), also steps after its end.
    #[default]
    Cohort,
    /// Steps in the range, and no others.
    Period,
}

/// How many came to each step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Funnel {
    /// The steps.
    pub steps: Vec<FunnelCount>,
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
    /// IANA time zone of the days.
    pub timezone: String,
    /// When it was read.
    pub as_of: DateTime<Utc>,
    /// Whether somebody who began may still take a step: the window or the range is not over.
    pub open: bool,
    /// Version of the tenant's data.
    pub data_version: i64,
}

/// How many came to one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FunnelCount {
    /// Its name for people.
    pub label: String,
    /// How many.
    pub count: i64,
    /// Their share of the step before, 0 to 1; null of nobody.
    #[schema(value_type = Option<String>)]
    pub step_rate: Option<Decimal>,
    /// Their share of the first step.
    #[schema(value_type = Option<String>)]
    pub total_rate: Option<Decimal>,
}

impl FunnelStep {
    fn label(&self) -> String {
        let event = |events: &EventMatch| {
            events
                .event
                .clone()
                .unwrap_or_else(|| "any event".to_owned())
        };
        let outcome = self.outcome.map(|outcome| match outcome {
            Outcome::Won => "won".to_owned(),
            Outcome::Lost => "lost".to_owned(),
        });
        let counted = self
            .events
            .as_ref()
            .map(event)
            .or_else(|| self.stage.clone())
            .or(outcome);
        self.label.clone().or(counted).unwrap_or_default()
    }

    fn check(&self, errors: &mut Errors, at: &str, of_events: bool) {
        if let Some(label) = &self.label {
            check::text(errors, &format!("{at}/label"), label, 1, 120);
        }
        if let Some(events) = &self.events {
            events.check(errors, &format!("{at}/events"));
        }
        if let Some(stage) = &self.stage {
            check::text(errors, &format!("{at}/stage"), stage, 1, 200);
        }
        let named = [
            self.events.is_some(),
            self.stage.is_some(),
            self.outcome.is_some(),
        ];
        if named.iter().filter(|is_named| **is_named).count() != 1 {
            let wanted = "must have one of events, stage and outcome";
            errors.add(at.to_owned(), "one_of", wanted);
        } else if of_events != self.events.is_some() {
            let wanted =
                "the steps of one funnel are all events, or all stages and outcomes of deals";
            errors.add(at.to_owned(), "mixed_steps", wanted);
        }
    }
}

impl FunnelQuery {
    /// Whether it is about events; else it is about deals.
    fn is_of_events(&self) -> bool {
        self.steps.iter().any(|step| step.events.is_some())
    }

    pub(crate) fn check(&self, errors: &mut Errors, at: &str) {
        if !(2..=10).contains(&self.steps.len()) {
            errors.add(
                format!("{at}/steps"),
                "out_of_range",
                "must be 2 to 10 steps",
            );
        }
        let of_events = self.is_of_events();
        for (n, step) in self.steps.iter().enumerate() {
            step.check(errors, &format!("{at}/steps/{n}"), of_events);
        }
        if !(1..=8_784).contains(&self.window_hours) {
            errors.add(
                format!("{at}/window_hours"),
                "out_of_range",
                "must be 1 to 8,784",
            );
        }
        check::filters(
            errors,
            &format!("{at}/filters"),
            &self.filters,
            store::is_dimension,
        );
        if of_events && !self.filters.is_empty() {
            let wanted = "are for deals; events are filtered in their steps";
            errors.add(format!("{at}/filters"), "filters_do_not_apply", wanted);
        }
    }
}

/// Answers the question.
pub(crate) async fn answer(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    query: &FunnelQuery,
    (range, timezone): (Range, Option<&str>),
) -> Result<Funnel, Problem> {
    let zone = zone(timezone)?;
    let (from, to) = days_of(range, now, zone)?;
    let days = Pieces {
        days: vec![from, to],
        granularity: Granularity::Day,
        zone,
    };
    let until = Pieces {
        days: vec![to],
        ..days.clone()
    }
    .beginnings(0);
    let bounds = (days.beginnings(0).first().copied(), until.get(1).copied());
    let (Some(begins), Some(ends)) = bounds else {
        return Err(Problem::internal("a day has no beginning"));
    };
    let counts = if query.is_of_events() {
        store::events(tx, query, (begins, ends)).await?
    } else {
        store::deals(tx, query, (begins, ends)).await?
    };
    let window = chrono::TimeDelta::hours(query.window_hours.into());
    let is_cohort = query.by == FunnelBy::Cohort;
    let open_until = if is_cohort && query.is_of_events() {
        ends + window
    } else {
        ends
    };
    let first = counts.first().copied().unwrap_or(0);
    let steps = query.steps.iter().enumerate().map(|(n, step)| {
        let count = counts.get(n).copied().unwrap_or(0);
        let before = n
            .checked_sub(1)
            .and_then(|before| counts.get(before))
            .copied();
        FunnelCount {
            label: step.label(),
            count,
            step_rate: share(count, before.unwrap_or(count)),
            total_rate: share(count, first),
        }
    });
    Ok(Funnel {
        steps: steps.collect(),
        from,
        to,
        timezone: zone.name().to_owned(),
        as_of: now,
        open: open_until > now,
        data_version: version::current(tx).await?,
    })
}

/// The same as a table: the step is its key.
pub(crate) async fn frame(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    query: &FunnelQuery,
    view: &View,
) -> Result<Frame, Problem> {
    let mut query = query.clone();
    if query.is_of_events() && !view.filters.is_empty() {
        return Err(super::unfiltered("a funnel of events"));
    }
    query.filters.extend(
        view.filters
            .iter()
            .filter(|filter| store::is_dimension(&filter.dimension))
            .cloned(),
    );
    let funnel = answer(tx, now, &query, (view.range, view.timezone.as_deref())).await?;
    let rows = funnel.steps.into_iter().map(|step| Row {
        keys: vec![Some(step.label)],
        values: vec![Some(step.count.into()), step.step_rate, step.total_rate],
        previous: None,
        change: None,
    });
    Ok(Frame {
        columns: vec![
            super::key("step", "Step", ColumnKind::Dimension),
            super::metric("count", "Count", Unit::Count, None),
            super::metric("step_rate", "Of the step before", Unit::Percent, None),
            super::metric("total_rate", "Of the first step", Unit::Percent, None),
        ],
        rows: rows.collect(),
        totals: None,
        compared: None,
        meta: super::meta(
            (funnel.from, funnel.to),
            &funnel.timezone,
            now,
            funnel.data_version,
        ),
    })
}
