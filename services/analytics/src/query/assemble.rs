//! From what was counted to the answer.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use bz_http::Problem;
use rust_decimal::Decimal;

use super::plan::{Place, Plan};
use super::sql::{Group, MAX_GROUPS, Read};
use super::table::{Cell, Key, Table};
use super::{Compared, Frame, FrameMeta, Order, Row, Unit, change, columns};

/// Rows of an answer when nothing is said.
const DEFAULT_LIMIT: u32 = 1_000;
/// The most rows that are looked at for an answer.
const MAX_ROWS: usize = 200_000;

/// What was counted for one question.
#[derive(Debug, Default)]
struct Tables {
    current: Table,
    current_whole: Table,
    previous: Table,
    previous_whole: Table,
}

impl Tables {
    fn of(&mut self, place: Place) -> &mut Table {
        match (place.compared, place.whole) {
            (false, false) => &mut self.current,
            (false, true) => &mut self.current_whole,
            (true, false) => &mut self.previous,
            (true, true) => &mut self.previous_whole,
        }
    }
}

/// A row before it is ordered.
struct Draft {
    piece: usize,
    keys: Vec<String>,
    values: Vec<Option<Decimal>>,
    previous: Option<Vec<Option<Decimal>>>,
}

/// The answer to `plan`, of which `counted` has the groups of each read.
pub(super) fn frame(plan: &Plan, counted: Vec<Vec<Group>>) -> Result<Frame, Problem> {
    let mut tables = Tables::default();
    let leaves = plan.checked.leaves.len();
    let default = plan.currency.as_deref().unwrap_or("");
    for ((place, read), groups) in plan.reads.iter().zip(counted) {
        few_enough_groups(groups.len(), read)?;
        for group in groups {
            tables.of(*place).add(group, read, leaves, default);
        }
    }
    let currency = one_currency(plan, &tables)?;
    let wholes = [
        whole(plan, &tables.current, &tables.current_whole),
        whole(plan, &tables.previous, &tables.previous_whole),
    ];
    let mut drafts = drafts(plan, &tables, &wholes)?;
    sort(plan, &mut drafts);
    let limit = plan.query.limit.unwrap_or(DEFAULT_LIMIT) as usize;
    let truncated = drafts.len() > limit;
    drafts.truncate(limit);
    Ok(Frame {
        columns: columns::of(plan, currency.as_deref()),
        rows: drafts.into_iter().map(|draft| row(plan, draft)).collect(),
        totals: plan.query.totals.then(|| totals(plan, &wholes)),
        compared: plan.compared.as_ref().map(|window| Compared {
            from: window.span.from,
            to: window.span.to,
            like_for_like: window.cut,
            until: window.cut.then_some(window.end),
        }),
        meta: meta(plan, truncated),
    })
}

fn few_enough_groups(groups: usize, read: &Read) -> Result<(), Problem> {
    if groups <= MAX_GROUPS {
        return Ok(());
    }
    Err(Problem::invalid(
        "/dimensions",
        "too_many_groups",
        format!(
            "{} has more than {MAX_GROUPS} groups: ask for fewer dimensions, longer pieces of time, or filter",
            read.dataset.key
        ),
    ))
}

/// The currency of all amounts, when currencies are not told apart. A sum over two is not a number.
fn one_currency(plan: &Plan, tables: &Tables) -> Result<Option<String>, Problem> {
    let leaves = &plan.checked.leaves;
    let mut currencies: BTreeSet<&str> = BTreeSet::new();
    for table in [
        &tables.current,
        &tables.previous,
        &tables.current_whole,
        &tables.previous_whole,
    ] {
        currencies.extend(table.currencies(leaves));
    }
    if plan.has_currencies_apart() {
        return Ok(None);
    }
    if currencies.len() > 1 {
        let named: Vec<&str> = currencies
            .iter()
            .map(|name| if name.is_empty() { "none" } else { name })
            .collect();
        return Err(Problem::invalid(
            "/metrics",
            "mixed_currencies",
            format!(
                "the amounts are in {}, and are not added: break down by currency, or filter for one",
                named.join(", ")
            ),
        ));
    }
    let found = currencies.first().filter(|currency| !currency.is_empty());
    Ok(found
        .map(|currency| (*currency).to_owned())
        .or_else(|| plan.currency.clone()))
}

/// The totals: the sum of what may be added, and what was counted over everything of the rest.
fn whole(plan: &Plan, rows: &Table, counted: &Table) -> Cell {
    let leaves = plan.checked.leaves.len();
    let mut whole = rows.sum(leaves);
    if plan.is_one_number() {
        return whole;
    }
    let alone = counted
        .cell(&(0, Vec::new()))
        .cloned()
        .unwrap_or_else(|| Cell::empty(leaves));
    for (n, leaf) in plan.checked.leaves.iter().enumerate() {
        if !leaf.is_additive() {
            whole.replace(n, &alone);
        }
    }
    whole
}

fn values(plan: &Plan, cell: &Cell, whole: &Cell) -> Vec<Option<Decimal>> {
    let leaves = &plan.checked.leaves;
    let row = |n: usize| cell.number(n, leaves[n]);
    let all = |n: usize| whole.number(n, leaves[n]);
    let expressions = plan.checked.expressions.iter();
    expressions
        .map(|expression| expression.value(&row, &all))
        .collect()
}

fn drafts(plan: &Plan, tables: &Tables, wholes: &[Cell; 2]) -> Result<Vec<Draft>, Problem> {
    let nothing = Vec::new();
    let combinations: BTreeSet<&Vec<String>> = if plan.query.dimensions.is_empty() {
        BTreeSet::from([&nothing])
    } else {
        let mut both = tables.current.combinations();
        both.extend(tables.previous.combinations());
        both
    };
    let pieces = plan.window.pieces.len();
    if pieces * combinations.len() > MAX_ROWS {
        return Err(Problem::invalid(
            "/dimensions",
            "too_many_rows",
            format!(
                "{pieces} pieces of time by {} groups: ask for longer ones, or filter",
                combinations.len()
            ),
        ));
    }
    let before = pieces_before(plan);
    let empty = Cell::empty(plan.checked.leaves.len());
    let none = || vec![None; plan.checked.expressions.len()];
    let mut drafts = Vec::with_capacity(pieces * combinations.len());
    for (piece, begins) in plan.window.pieces.iter().enumerate() {
        for keys in &combinations {
            let key: Key = (piece, (*keys).clone());
            let cell = tables.current.cell(&key).unwrap_or(&empty);
            let is_to_come = begins.start > plan.now;
            let values = if is_to_come {
                none()
            } else {
                values(plan, cell, &wholes[0])
            };
            let previous = plan.compared.as_ref().map(|_| match before.get(&piece) {
                None => none(),
                Some(before) => {
                    let key: Key = (*before, (*keys).clone());
                    let cell = tables.previous.cell(&key).unwrap_or(&empty);
                    self::values(plan, cell, &wholes[1])
                }
            });
            drafts.push(Draft {
                piece,
                keys: key.1,
                values,
                previous,
            });
        }
    }
    Ok(drafts)
}

/// For each piece of time the one that it is compared with.
fn pieces_before(plan: &Plan) -> HashMap<usize, usize> {
    let Some(compared) = &plan.compared else {
        return HashMap::new();
    };
    let slots: HashMap<_, _> = compared
        .pieces
        .iter()
        .enumerate()
        .map(|(n, piece)| (piece.slot, n))
        .collect();
    let pieces = plan.window.pieces.iter().enumerate();
    pieces
        .filter_map(|(n, piece)| Some((n, *slots.get(&piece.slot)?)))
        .collect()
}

/// By what was asked for; else by time and the first metric downwards. What is left equal is in the order of its keys.
fn sort(plan: &Plan, drafts: &mut [Draft]) {
    let query = &plan.query;
    let default = [
        Order {
            by: "time".to_owned(),
            descending: false,
        },
        Order {
            by: query.metrics[0].clone(),
            descending: true,
        },
    ];
    let orders = if query.order.is_empty() {
        &default[..]
    } else {
        &query.order[..]
    };
    drafts.sort_by(|a, b| {
        let asked = orders.iter().map(|order| compare(plan, order, a, b));
        asked
            .chain([a.piece.cmp(&b.piece), a.keys.cmp(&b.keys)])
            .find(|ordering| *ordering != Ordering::Equal)
            .unwrap_or(Ordering::Equal)
    });
}

fn compare(plan: &Plan, order: &Order, a: &Draft, b: &Draft) -> Ordering {
    let turned = |ordering: Ordering| {
        if order.descending {
            ordering.reverse()
        } else {
            ordering
        }
    };
    if let Some(n) = plan.query.metrics.iter().position(|key| *key == order.by) {
        // What has no number comes last, whichever way.
        return match (a.values[n], b.values[n]) {
            (Some(a), Some(b)) => turned(a.cmp(&b)),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
    }
    match plan
        .query
        .dimensions
        .iter()
        .position(|name| *name == order.by)
    {
        Some(n) => turned(a.keys[n].cmp(&b.keys[n])),
        None => turned(a.piece.cmp(&b.piece)),
    }
}

fn row(plan: &Plan, draft: Draft) -> Row {
    let time = plan.query.granularity.map(|granularity| {
        plan.window
            .label(&plan.window.pieces[draft.piece], granularity)
    });
    let keys = draft
        .keys
        .into_iter()
        .map(|key| (!key.is_empty()).then_some(key));
    Row {
        keys: time.map(Some).into_iter().chain(keys).collect(),
        change: draft
            .previous
            .as_ref()
            .map(|previous| changes(plan, &draft.values, previous)),
        values: draft.values,
        previous: draft.previous,
    }
}

fn totals(plan: &Plan, wholes: &[Cell; 2]) -> Row {
    let [current, previous] = wholes.each_ref().map(|whole| values(plan, whole, whole));
    let previous = plan.compared.is_some().then_some(previous);
    let keys = usize::from(plan.query.granularity.is_some()) + plan.query.dimensions.len();
    Row {
        keys: vec![None; keys],
        change: previous
            .as_ref()
            .map(|previous| changes(plan, &current, previous)),
        values: current,
        previous,
    }
}

fn changes(
    plan: &Plan,
    values: &[Option<Decimal>],
    previous: &[Option<Decimal>],
) -> Vec<super::Change> {
    let both = values.iter().zip(previous).zip(&plan.checked.metrics);
    both.map(|((value, previous), metric)| {
        let unit: Unit = metric.unit;
        change(*value, *previous, unit.into(), metric.polarity)
    })
    .collect()
}

/// How the numbers are made, as of the instant of the plan.
pub(super) fn meta(plan: &Plan, truncated: bool) -> FrameMeta {
    FrameMeta {
        from: plan.window.span.from,
        to: plan.window.span.to,
        timezone: plan.window.zone.name().to_owned(),
        as_of: plan.now,
        complete_until: plan.complete_until(),
        partial_period: plan.is_partial(),
        approximate: columns::approximate(plan),
        source: columns::source(plan),
        truncated,
        data_version: plan.version,
        cached: false,
    }
}
