//! From a question to what has to be counted for it.

use bz_http::{Errors, Problem, Validate};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::calendar::{Span, begins};
use super::check::Checked;
use super::expression::Leaf;
use super::head::Head;
use super::sql::{Class, EventSource, Read, event_dimensions, has_sketches};
use super::window::{Window, count, facts_complete_until};
use super::{Granularity, Query};
use crate::catalogue::{Additivity, CURRENCY, Storage};

/// The most pieces of time in an answer.
const MAX_PIECES: i64 = 2_500;
/// How late events and orders may come.
const LATENESS: TimeDelta = TimeDelta::hours(1);

/// A question that can be answered.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) query: Query,
    pub(super) checked: Checked,
    /// The days asked for.
    pub(super) window: Window,
    /// The days that they are compared with.
    pub(super) compared: Option<Window>,
    /// What has to be counted, and for which part of the answer.
    pub(super) reads: Vec<(Place, Read)>,
    /// The tenant's currency.
    pub(super) currency: Option<String>,
    pub(super) now: DateTime<Utc>,
    pub(super) version: i64,
}

/// Which part of the answer something is counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The days compared with, and not the days asked for.
    pub(super) compared: bool,
    /// The totals, where they are not the sum of the rows.
    pub(super) whole: bool,
}

impl Plan {
    /// Plans the answer.
    pub(super) fn new(query: &Query, head: &Head, now: DateTime<Utc>) -> Result<Self, Problem> {
        let mut errors = Errors::default();
        query.validate(&mut errors);
        if !errors.is_empty() {
            return Err(Problem::validation(errors));
        }
        let zone = query.timezone.as_deref().unwrap_or(&head.timezone);
        let zone: Tz = zone.parse().unwrap_or(Tz::UTC);
        let span = Span::of(query.range, now.with_timezone(&zone).date_naive());
        let before = span.compared(query.range, query.compare, query.compare_align);
        for span in before.iter().chain([&span]) {
            few_enough_pieces(*span, query.granularity)?;
        }
        let window = Window::new(span, zone, query.granularity);
        let compared =
            before.map(|before| Window::new(before, zone, query.granularity).like(&window, now));
        let mut plan = Self {
            query: query.clone(),
            checked: Checked::of(query),
            window,
            compared,
            reads: Vec::new(),
            currency: head.currency.clone(),
            now,
            version: head.version,
        };
        plan.refuse_what_cannot_be_added()?;
        plan.reads = plan.all_reads(head);
        Ok(plan)
    }

    /// Whether somebody is counted once a day, and more than a day is asked for in one number.
    fn refuse_what_cannot_be_added(&self) -> Result<(), Problem> {
        let by_day = matches!(
            self.query.granularity,
            Some(Granularity::Hour | Granularity::Day)
        );
        let longest = self
            .compared
            .iter()
            .chain([&self.window])
            .map(|window| window.span.days());
        if by_day || longest.max() == Some(1) {
            return Ok(());
        }
        let mut errors = Errors::default();
        for (n, expression) in self.checked.expressions.iter().enumerate() {
            let alone = |leaf: usize| class(leaf, self.checked.leaves[leaf]) == Class::Alone;
            if expression.any_leaf(&alone) {
                errors.add(
                    format!("/metrics/{n}"),
                    "not_additive",
                    "counts everybody once a day and cannot be added over days: ask for one day, or by day",
                );
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Problem::validation(errors))
        }
    }

    fn all_reads(&self, head: &Head) -> Vec<(Place, Read)> {
        let share = self
            .checked
            .expressions
            .iter()
            .any(super::expression::Expression::has_share);
        let totals = (self.query.totals || share) && !self.is_one_number();
        let mut reads = Vec::new();
        for (compared, window) in [(false, Some(&self.window)), (true, self.compared.as_ref())] {
            let Some(window) = window else { continue };
            for (class, leaves) in self.classes() {
                let read = self.read(class, &leaves, window);
                let whole = totals && leaves.iter().any(|(_, leaf)| !leaf.is_additive());
                let place = |whole| Place { compared, whole };
                if whole {
                    let read = Read {
                        window: window.whole(),
                        dimensions: Vec::new(),
                        ..read.clone()
                    };
                    reads.extend(self.in_sources(place(true), &read, head));
                }
                reads.extend(self.in_sources(place(false), &read, head));
            }
        }
        reads
    }

    /// What has to be read where for one way of counting.
    fn in_sources(&self, place: Place, read: &Read, head: &Head) -> Vec<(Place, Read)> {
        let sources = event_sources(read, self.query.granularity, &head.zones).into_iter();
        let of = |events| Read {
            events,
            ..read.clone()
        };
        sources.map(|events| (place, of(events))).collect()
    }

    /// Whether the answer has one row and that row is the total.
    pub(super) fn is_one_number(&self) -> bool {
        self.query.granularity.is_none() && self.query.dimensions.is_empty()
    }

    /// The leaves that can be counted together.
    fn classes(&self) -> Vec<(Class, Vec<(usize, Leaf)>)> {
        let mut classes: Vec<(Class, Vec<(usize, Leaf)>)> = Vec::new();
        for (n, leaf) in self.checked.leaves.iter().enumerate() {
            let own = class(n, *leaf);
            let same = classes.iter_mut().find(|(class, leaves)| {
                *class == own && leaves[0].1.dataset.key == leaf.dataset.key
            });
            match same {
                Some((_, leaves)) => leaves.push((n, *leaf)),
                None => classes.push((own, vec![(n, *leaf)])),
            }
        }
        classes
    }

    fn read(&self, class: Class, leaves: &[(usize, Leaf)], window: &Window) -> Read {
        Read {
            dataset: leaves[0].1.dataset,
            class,
            leaves: leaves.to_vec(),
            window: window.clone(),
            dimensions: self.query.dimensions.clone(),
            filters: self.query.filters.clone(),
            by_currency: leaves.iter().any(|(_, leaf)| leaf.is_money()),
            events: EventSource::Quarters,
        }
    }

    /// Whether amounts of different currencies stand in different rows.
    pub(super) fn has_currencies_apart(&self) -> bool {
        self.query.dimensions.iter().any(|name| name == CURRENCY)
    }

    /// Up to when the numbers are complete.
    pub(super) fn complete_until(&self) -> DateTime<Utc> {
        let datasets = self.checked.datasets();
        let sources = datasets.iter().map(|dataset| match dataset.storage {
            Storage::Facts => facts_complete_until(self.now, self.window.zone),
            _ => self.now - LATENESS,
        });
        sources.chain([self.window.end]).min().unwrap_or(self.now)
    }

    /// Whether the last piece of time is not over.
    pub(super) fn is_partial(&self) -> bool {
        self.window.end > self.now
    }
}

fn few_enough_pieces(span: Span, granularity: Option<Granularity>) -> Result<(), Problem> {
    if count(span, granularity) <= MAX_PIECES {
        return Ok(());
    }
    Err(Problem::invalid(
        "/granularity",
        "too_many_pieces",
        format!(
            "the range has more than {MAX_PIECES} pieces of time: ask for longer ones, or for fewer days"
        ),
    ))
}

/// How the `n`th leaf is counted.
fn class(n: usize, leaf: Leaf) -> Class {
    let name: &'static str = &leaf.measure.name;
    let field = leaf.measure.field.as_deref().unwrap_or(name);
    match (leaf.dataset.storage, leaf.measure.additivity) {
        (Storage::Events, Additivity::Distinct) => Class::Who(n),
        (Storage::Facts, Additivity::Distinct) => Class::Alone,
        (Storage::Facts, Additivity::Last) => Class::Last(field),
        (Storage::Facts, Additivity::First) => Class::First(field),
        (Storage::Orders, Additivity::Distinct) => Class::People,
        (Storage::OrderLines, Additivity::Distinct) => Class::Once,
        (Storage::Deals, _) => match name {
            "won" | "won_amount" | "lost" | "lost_amount" | "cycle_days" => Class::Closed,
            "open" | "open_amount" | "weighted_amount" => Class::Open,
            "stage_entries" => Class::Stages,
            _ => Class::Sum,
        },
        _ => Class::Sum,
    }
}

/// Where the events of a question are counted. Nothing but events has a choice.
fn event_sources(
    read: &Read,
    granularity: Option<Granularity>,
    zones: &[String],
) -> Vec<EventSource> {
    let window = &read.window;
    let kept = zones.iter().any(|zone| zone == window.zone.name());
    if read.dataset.storage != Storage::Events {
        vec![read.events]
    } else if matches!(read.class, Class::Who(_)) {
        let sketched = kept && granularity != Some(Granularity::Hour) && has_sketches(read);
        vec![if sketched {
            EventSource::Sketches
        } else {
            EventSource::Raw
        }]
    } else if event_dimensions(read).len() > 1 {
        vec![EventSource::Raw]
    } else if granularity == Some(Granularity::Hour) || !kept {
        vec![EventSource::Quarters]
    } else if window.end > begins(window.whole_days_until(), window.zone) {
        vec![EventSource::Days, EventSource::Edge]
    } else {
        vec![EventSource::Days]
    }
}
