//! What rows become: facts, orders, deals or events.

use std::collections::HashMap;

use aws_lc_rs::digest;
use bz_http::Problem;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use csv::StringRecord;
use uuid::Uuid;

use super::{
    Plan, Reading,
    made::{deal, event, fact, order},
    plan::Columns,
    row::{Fault, Row},
};
use crate::{
    catalogue::Storage,
    sources::{deals::Deal, facts::Fact, orders::Order},
    tracking::TrackedEvent,
};

/// What some rows became.
#[derive(Debug)]
pub(crate) enum Batch {
    Facts(Vec<Fact>),
    Orders(Vec<Order>),
    Deals(Vec<Deal>),
    Events(Vec<TrackedEvent>),
}

/// Reads the rows of one table, piece by piece.
pub(crate) struct Converter {
    columns: Columns,
    reading: Reading,
    delimiter: u8,
    zone: Tz,
    source: Uuid,
    now: DateTime<Utc>,
    /// How often each row without a number of its own was met: rows of the same content are different things.
    met: HashMap<[u8; 16], u32>,
}

impl Converter {
    /// A reader of a source's table.
    ///
    /// # Errors
    /// 422 when the plan does not fit any more.
    pub(crate) fn new(plan: &Plan, source: Uuid, now: DateTime<Utc>) -> Result<Self, Problem> {
        Ok(Self {
            columns: plan.columns()?,
            reading: plan.reading.clone(),
            delimiter: plan.delimiter,
            zone: plan.reading.zone().unwrap_or(chrono_tz::UTC),
            source,
            now,
            met: HashMap::new(),
        })
    }

    /// The key of the dataset.
    pub(crate) fn dataset(&self) -> &str {
        &self.columns.dataset.key
    }

    /// Reads whole rows. Those with faults are left out of what they become.
    pub(crate) fn read(
        &mut self,
        content: &[u8],
        first_row: i64,
        faults: &mut Vec<Fault>,
    ) -> Batch {
        let storage = self.columns.dataset.storage;
        if storage == Storage::Facts {
            Batch::Facts(self.each(content, first_row, faults, fact))
        } else if storage == Storage::Deals {
            Batch::Deals(self.each(content, first_row, faults, deal))
        } else if storage == Storage::Events {
            Batch::Events(self.each(content, first_row, faults, event))
        } else {
            Batch::Orders(self.each(content, first_row, faults, order))
        }
    }

    fn each<T>(
        &mut self,
        content: &[u8],
        first_row: i64,
        faults: &mut Vec<Fault>,
        make: fn(&mut Row<'_>, &dyn Fn() -> String, &Context) -> T,
    ) -> Vec<T> {
        let mut all = Vec::new();
        let context = Context {
            source: self.source,
            now: self.now,
        };
        for (cells, number) in bz_tabular::cells(content, self.delimiter).zip(first_row..) {
            let cells = match cells {
                Ok(cells) => cells,
                Err(_) => StringRecord::new(),
            };
            let count = self.met(&cells);
            let id = || format!("{}-{}", hex::encode(&count.0[..12]), count.1);
            let mut row = Row {
                columns: &self.columns,
                reading: &self.reading,
                zone: self.zone,
                cells: &cells,
                number,
                faults: Vec::new(),
            };
            if cells.len() > row.cells_wanted() {
                row.too_many_cells();
            }
            let made = make(&mut row, &id, &context);
            if row.faults.is_empty() {
                all.push(made);
            }
            faults.append(&mut row.faults);
        }
        all
    }

    /// The digest of a row, and how many like it were before, when rows have no number of their own.
    fn met(&mut self, cells: &StringRecord) -> ([u8; 16], u32) {
        let numbered = ["order_id", "event_id"]
            .iter()
            .any(|name| self.columns.has(name));
        if numbered
            || matches!(
                self.columns.dataset.storage,
                Storage::Facts | Storage::Deals
            )
        {
            return ([0; 16], 0);
        }
        let mut context = digest::Context::new(&digest::SHA256);
        for cell in cells {
            context.update(cell.trim().as_bytes());
            context.update(b"\0");
        }
        let mut short = [0; 16];
        short.copy_from_slice(&context.finish().as_ref()[..16]);
        let count = self.met.entry(short).or_default();
        *count += 1;
        (short, *count)
    }
}

/// What is the same for all rows.
pub(super) struct Context {
    pub source: Uuid,
    pub now: DateTime<Utc>,
}

impl Columns {
    /// Whether a column goes to the field.
    pub(super) fn has(&self, name: &str) -> bool {
        let place = self.fields.iter().position(|field| field.name == name);
        place.is_some_and(|place| self.places[place].is_some())
    }
}
