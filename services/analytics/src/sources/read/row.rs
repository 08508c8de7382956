//! One row, and what is wrong with it.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use csv::StringRecord;
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Reading, cells, plan::Columns, reading::is_currency};
use crate::tracking::MAX_AMOUNT_MINOR;

/// What is wrong with a cell or a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Fault {
    /// The number of the row; the headings are row 1.
    pub row: i64,
    /// The field that the cell goes to, if it is about one.
    pub field: Option<String>,
    /// What is wrong, for programs.
    pub code: String,
    /// What is wrong and what to write instead.
    pub message: String,
    /// The cell.
    pub value: Option<String>,
}

/// A row in the reading.
pub(super) struct Row<'a> {
    pub columns: &'a Columns,
    pub reading: &'a Reading,
    pub zone: Tz,
    pub cells: &'a StringRecord,
    pub number: i64,
    pub faults: Vec<Fault>,
}

impl Row<'_> {
    /// The cell of a field, without blanks at its ends; none when it is empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let field = self
            .columns
            .fields
            .iter()
            .position(|field| field.name == name)?;
        let cell = self.cells.get(self.columns.places[field]?)?.trim();
        (!cell.is_empty()).then_some(cell)
    }

    /// The same as a text of its own, of at most so many characters.
    pub(super) fn owned(&mut self, name: &str, most: usize) -> Option<String> {
        let text = self.text(name)?.to_owned();
        if text.chars().count() > most {
            self.fault(
                name,
                "too_long",
                format!("must have at most {most} characters"),
            );
        }
        Some(text)
    }

    pub(super) fn number(&mut self, name: &str) -> Option<Decimal> {
        let comma = self.reading.decimal.as_deref() == Some(",");
        let cell = self.text(name)?;
        let value = cells::number(cell, comma);
        if value.is_none() {
            self.fault(
                name,
                "not_a_number",
                "must be a number, as 1234.50; see decimal",
            );
        }
        value
    }

    /// A whole number; none is nothing.
    pub(super) fn whole(&mut self, name: &str) -> Option<i64> {
        let value = self.number(name)?;
        let whole = Some(value)
            .filter(|value| value.fract().is_zero())
            .and_then(|value| value.to_i64());
        if whole.is_none() {
            self.fault(name, "not_whole", "must be a whole number");
        }
        whole
    }

    /// An amount of money in the smallest unit.
    pub(super) fn minor(&mut self, name: &str, currency: &str) -> i64 {
        let Some(value) = self.number(name) else {
            return 0;
        };
        self.in_minor(name, value, currency)
    }

    pub(super) fn in_minor(&mut self, name: &str, value: Decimal, currency: &str) -> i64 {
        let minor =
            cells::minor(value, currency).filter(|minor| minor.unsigned_abs() <= MAX_AMOUNT_MINOR);
        if minor.is_none() {
            self.fault(name, "too_large", "is too large an amount");
        }
        minor.unwrap_or(0)
    }

    pub(super) fn instant(&mut self, name: &str) -> Option<DateTime<Utc>> {
        let format = self.reading.date_format.as_deref();
        let value = cells::instant(self.text(name)?, format, self.zone);
        if value.is_none() {
            self.fault(
                name,
                "not_a_time",
                "must be written like 2026-03-31 18:05:00, or as date_format says",
            );
        }
        value
    }

    pub(super) fn day(&mut self, name: &str) -> Option<NaiveDate> {
        let format = self.reading.date_format.as_deref();
        let value = cells::day(self.text(name)?, format);
        if value.is_none() {
            self.fault(
                name,
                "not_a_date",
                "must be written like 2026-03-31, or as date_format says",
            );
        }
        value
    }

    /// The currency of the row, else that of the source; nothing when there is none.
    pub(super) fn currency(&mut self) -> String {
        let own = self.text("currency").map(str::to_ascii_uppercase);
        let Some(code) = own else {
            return self.reading.currency.clone().unwrap_or_default();
        };
        if !is_currency(&code) {
            self.fault(
                "currency",
                "invalid_currency",
                "must be three letters, as EUR",
            );
        }
        code
    }

    /// A field that the row cannot do without.
    pub(super) fn needed<T: Default>(&mut self, name: &str, value: Option<T>) -> T {
        // What cannot be read has a fault of its own.
        if value.is_none() && self.text(name).is_none() {
            self.fault(name, "required", "must not be empty");
        }
        value.unwrap_or_default()
    }

    pub(super) fn fault(&mut self, name: &str, code: &str, message: impl Into<String>) {
        let value = self.text(name).map(|cell| cell.chars().take(100).collect());
        self.faults.push(Fault {
            row: self.number,
            field: Some(name.to_owned()),
            code: code.to_owned(),
            message: message.into(),
            value,
        });
    }
}

impl Row<'_> {
    /// How many cells a row has.
    pub(super) fn cells_wanted(&self) -> usize {
        self.columns.width
    }

    /// A row with more cells than there are headings: a mark between cells is in a cell without quotation marks.
    pub(super) fn too_many_cells(&mut self) {
        self.faults.push(Fault {
            row: self.number,
            field: None,
            code: "too_many_cells".to_owned(),
            message: "has more cells than there are headings; put texts into quotation marks"
                .to_owned(),
            value: None,
        });
    }
}
