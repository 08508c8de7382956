//! Rows with outcomes, by column: numbers as numbers, words as codes of a dictionary.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::column::Column;
use crate::row::Row;

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A quantity.
    Number,
    /// Yes or no.
    Flag,
    /// One of several words.
    Category,
    /// Any number of words.
    Tags,
}

/// Leads with their outcomes, by column.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    pub(crate) names: Vec<String>,
    pub(crate) columns: Vec<Column>,
    won: Vec<bool>,
    at: Vec<i64>,
}

impl Dataset {
    /// How many leads there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.won.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.won.is_empty()
    }

    /// The fields with their types, in the order in which they first appeared.
    pub fn fields(&self) -> impl Iterator<Item = (&str, Kind)> {
        self.names
            .iter()
            .zip(&self.columns)
            .map(|(name, column)| (name.as_str(), column.kind()))
    }

    /// Whether each lead was won.
    #[must_use]
    pub fn won(&self) -> &[bool] {
        &self.won
    }

    /// When each lead was created, in seconds since 1970 (UTC).
    #[must_use]
    pub fn at(&self) -> &[i64] {
        &self.at
    }

    /// The same leads without the fields named.
    #[must_use]
    pub fn without(mut self, fields: &HashSet<String>) -> Self {
        let keep: Vec<bool> = self
            .names
            .iter()
            .map(|name| !fields.contains(name))
            .collect();
        let mut kept = keep.iter();
        self.names.retain(|_| kept.next().copied().unwrap_or(true));
        let mut kept = keep.iter();
        self.columns
            .retain(|_| kept.next().copied().unwrap_or(true));
        self
    }
}

/// Takes leads one by one and finds out what type their fields have.
#[derive(Debug, Default)]
pub struct DatasetBuilder {
    data: Dataset,
    index: HashMap<String, usize>,
    declared: Vec<bool>,
}

impl DatasetBuilder {
    /// No leads, nothing declared.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says what type a field has. A value that does not fit is missing; undeclared fields take the type of their
    /// values. Before the first row.
    #[must_use]
    pub fn declare(mut self, name: &str, kind: Kind) -> Self {
        let column = self.column(name);
        self.data.columns[column] = Column::empty(kind, self.data.len());
        self.declared[column] = true;
        self
    }

    /// Gives a field its place before those that are named later; its type is found in its values.
    #[must_use]
    pub fn expect(mut self, name: &str) -> Self {
        self.column(name);
        self
    }

    /// Adds a lead, whether it was won, and when it was created (seconds since 1970, UTC).
    pub fn push(&mut self, row: &Row<'_>, won: bool, at: i64) {
        let rows = self.data.len();
        for (name, value) in row.iter() {
            let column = self.column(name);
            let declared = self.declared[column];
            self.data.columns[column].put(rows, value, declared);
        }
        self.data.won.push(won);
        self.data.at.push(at);
    }

    /// All leads. Undeclared words that are all numbers become numbers.
    #[must_use]
    pub fn finish(mut self) -> Dataset {
        let rows = self.data.len();
        for (column, declared) in self.data.columns.iter_mut().zip(self.declared) {
            column.fill(rows);
            if !declared {
                column.narrow();
            }
        }
        self.data
    }

    fn column(&mut self, name: &str) -> usize {
        if let Some(column) = self.index.get(name) {
            return *column;
        }
        let column = self.data.names.len();
        self.index.insert(name.to_owned(), column);
        self.data.names.push(name.to_owned());
        self.data.columns.push(Column::Unknown);
        self.declared.push(false);
        column
    }
}
