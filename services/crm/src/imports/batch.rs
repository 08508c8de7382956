//! The rows of a piece: what each of them becomes, before anything is written.

use std::collections::{HashMap, HashSet};

use bz_http::Problem;
use csv::StringRecord;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    apply,
    cells::{Fault, Read, Sheet},
    keys::{self, Key},
    mapping::HISTORY,
    plan::{Mode, OnDuplicate, Plan},
};
use crate::records::{Record, Work, custom::Definition, many::Row};

/// After so many rows others have their turn on the thread.
const TOGETHER: usize = 250;

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Created,
    Updated,
    Skipped,
    Failed,
}

/// A row of the file.
pub(super) struct Line {
    /// Its number; the heading is row 1.
    pub number: i64,
    pub cells: StringRecord,
    pub read: Read,
    pub keys: Vec<(usize, String)>,
    pub fate: Fate,
    pub faults: Vec<Fault>,
}

impl Line {
    pub(super) fn fail(&mut self, faults: Vec<Fault>) {
        self.fate = Fate::Failed;
        self.faults = faults;
    }
}

/// A record that is there, and what it becomes.
pub(super) struct Current<R: Record> {
    pub before: R,
    pub after: Row<R::Fields>,
    /// The rows that changed it.
    pub lines: Vec<usize>,
}

/// A new record.
pub(super) struct Draft<R: Record> {
    pub row: Row<R::Fields>,
    /// The rows that made it.
    pub lines: Vec<usize>,
}

#[derive(Clone, Copy)]
enum Slot {
    Draft(usize),
    Record(Uuid),
}

/// What is in the table of what the rows are about.
pub(super) struct Found<R: Record> {
    /// The records by their keys.
    pub known: HashMap<(usize, String), Uuid>,
    /// Those that may be changed, locked.
    pub current: HashMap<Uuid, Current<R>>,
    /// Those that earlier pieces wrote.
    pub touched: HashSet<Uuid>,
    /// The keys that earlier pieces of a dry run had.
    pub seen: HashSet<String>,
}

/// The rows of a piece, and what they make.
pub(super) struct Batch<'a, R: Record> {
    pub plan: &'a Plan,
    pub sheet: &'a Sheet,
    pub definitions: &'a [&'a Definition],
    pub lines: Vec<Line>,
    pub drafts: Vec<Draft<R>>,
    pub found: Found<R>,
    slots: HashMap<(usize, String), Slot>,
}

/// Reads the rows.
pub(super) fn lines(
    rows: impl Iterator<Item = csv::Result<StringRecord>>,
    first_row: i64,
    sheet: &Sheet,
    keys: &[Key],
) -> Result<Vec<Line>, Problem> {
    let mut lines = Vec::new();
    for (number, row) in (first_row..).zip(rows) {
        let cells = row.map_err(Problem::internal)?;
        let mut line = Line {
            number,
            cells,
            read: Read::default(),
            keys: Vec::new(),
            fate: Fate::Skipped,
            faults: Vec::new(),
        };
        match sheet.read(&line.cells) {
            Ok(read) => {
                line.keys = keys::of_row(keys, &read.members);
                line.read = read;
            }
            Err(faults) => line.fail(faults),
        }
        lines.push(line);
    }
    Ok(lines)
}

impl<'a, R: Record> Batch<'a, R> {
    pub(super) fn new(
        (plan, sheet): (&'a Plan, &'a Sheet),
        definitions: &'a [&'a Definition],
        lines: Vec<Line>,
        found: Found<R>,
    ) -> Self {
        Self {
            plan,
            sheet,
            definitions,
            lines,
            drafts: Vec::new(),
            found,
            slots: HashMap::new(),
        }
    }

    /// Decides what each row becomes, in their order.
    pub(super) async fn decide(&mut self, work: &mut Work<'_>) -> Result<(), Problem> {
        for n in 0..self.lines.len() {
            if n % TOGETHER == 0 {
                tokio::task::yield_now().await;
            }
            if self.lines[n].fate != Fate::Failed {
                self.decide_one(n, work).await?;
            }
        }
        Ok(())
    }

    async fn decide_one(&mut self, n: usize, work: &mut Work<'_>) -> Result<(), Problem> {
        let (slot, repeated) = self.same(n);
        let (mode, policy) = (self.plan.mode, self.plan.on_duplicate);
        match (slot, repeated, mode, policy) {
            (None, false, Mode::Update, _) => {
                self.lines[n].fail(vec![Fault::of_row(
                    "not_found",
                    "is the same as no record that is there",
                )]);
                Ok(())
            }
            (None, false, ..) => self.create(n, work).await,
            (_, true, _, OnDuplicate::Skip) | (_, false, Mode::Create, OnDuplicate::Skip) => Ok(()),
            (_, true, _, OnDuplicate::Error) => {
                self.lines[n].fail(vec![Fault::of_row(
                    "duplicate",
                    "is the same as a row before it",
                )]);
                Ok(())
            }
            (_, false, Mode::Create, OnDuplicate::Error) => {
                self.lines[n].fail(vec![Fault::of_row(
                    "duplicate",
                    "is the same as a record that is there",
                )]);
                Ok(())
            }
            // Only in a dry run: the row before it would have made the record.
            (None, true, ..) => {
                self.lines[n].fate = Fate::Updated;
                Ok(())
            }
            (Some(slot), ..) => self.change(n, slot, work).await,
        }
    }

    /// What the row is the same as, and whether an earlier row was already.
    fn same(&self, n: usize) -> (Option<Slot>, bool) {
        let keys = &self.lines[n].keys;
        if let Some(slot) = keys.iter().find_map(|key| self.slots.get(key)) {
            return (Some(*slot), true);
        }
        let known = keys.iter().find_map(|key| self.found.known.get(key));
        let touched = known.is_some_and(|id| self.found.touched.contains(id));
        let seen = || {
            keys.iter()
                .any(|key| self.found.seen.contains(&key_text(key)))
        };
        (known.map(|id| Slot::Record(*id)), touched || seen())
    }

    async fn create(&mut self, n: usize, work: &mut Work<'_>) -> Result<(), Problem> {
        let line = &mut self.lines[n];
        let made = apply::fields::<R::Fields>(None, &line.read.members, self.definitions);
        let made = match made {
            Ok(mut fields) => R::prepare(work, &mut fields, None).await.map(|()| fields),
            Err(problem) => Err(problem),
        };
        match made {
            Ok(fields) => {
                line.fate = Fate::Created;
                let mut extra = apply::history(&line.read.history);
                if let [_, outcome, outcome_at] = HISTORY
                    && extra.contains_key(outcome)
                    && !extra.contains_key(outcome_at)
                {
                    extra.insert(outcome_at.to_owned(), serde_json::json!(work.now()));
                }
                let row = Row {
                    id: work.id(),
                    fields,
                    extra,
                };
                self.drafts.push(Draft {
                    row,
                    lines: vec![n],
                });
                self.claim(n, Slot::Draft(self.drafts.len() - 1));
            }
            Err(problem) => line.fail(apply::faults(problem, self.sheet, &line.cells)?),
        }
        Ok(())
    }

    async fn change(&mut self, n: usize, slot: Slot, work: &mut Work<'_>) -> Result<(), Problem> {
        let (row, before, lines) = match slot {
            Slot::Draft(draft) => {
                let draft = &mut self.drafts[draft];
                (&mut draft.row, None, &mut draft.lines)
            }
            Slot::Record(id) => match self.found.current.get_mut(&id) {
                Some(current) => (
                    &mut current.after,
                    Some(&current.before),
                    &mut current.lines,
                ),
                None => {
                    let text = "is the same as a record that you may not change";
                    self.lines[n].fail(vec![Fault::of_row("forbidden", text)]);
                    return Ok(());
                }
            },
        };
        let line = &mut self.lines[n];
        let made = apply::fields(Some(&row.fields), &line.read.members, self.definitions);
        let made = match made {
            Ok(mut fields) => R::prepare(work, &mut fields, before).await.map(|()| fields),
            Err(problem) => Err(problem),
        };
        match made {
            Ok(fields) => {
                let mut extra = row.extra.clone();
                ended(&mut extra, &line.read.history, work);
                let changes = crate::records::changes::between(&row.fields, &fields)?;
                if !changes.is_empty() || extra != row.extra {
                    line.fate = Fate::Updated;
                    (row.fields, row.extra) = (fields, extra);
                    lines.push(n);
                }
                self.claim(n, slot);
            }
            Err(problem) => line.fail(apply::faults(problem, self.sheet, &line.cells)?),
        }
        Ok(())
    }

    /// From here on the row's keys are this record's.
    fn claim(&mut self, n: usize, slot: Slot) {
        for key in &self.lines[n].keys {
            self.slots.entry(key.clone()).or_insert(slot);
        }
    }

    /// The keys of the rows that made or changed something.
    pub(super) fn claimed(&self) -> Vec<String> {
        self.slots.keys().map(key_text).collect()
    }
}

/// How a record that is there ended; when it began stays.
fn ended(extra: &mut Map<String, Value>, history: &Map<String, Value>, work: &Work<'_>) {
    let [_, outcome, outcome_at] = HISTORY;
    let Some(how) = history.get(outcome) else {
        return;
    };
    let at = history.get(outcome_at).cloned();
    if at.is_none()
        && extra.get(outcome) == Some(how)
        && extra.get(outcome_at).is_some_and(|at| !at.is_null())
    {
        return;
    }
    let at = at.unwrap_or_else(|| serde_json::json!(work.now()));
    extra.insert(outcome.to_owned(), how.clone());
    extra.insert(outcome_at.to_owned(), at);
}

/// A key as one text.
pub(super) fn key_text((n, value): &(usize, String)) -> String {
    format!("{n}:{value}")
}
