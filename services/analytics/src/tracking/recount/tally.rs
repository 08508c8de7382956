//! Counts as they are made from events, beside those that are stored.

use std::collections::HashMap;

use super::span::LocalDays;

/// Texts as numbers: keys of numbers are made and compared faster.
#[derive(Debug, Default)]
pub(super) struct Texts {
    numbers: HashMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
}

impl Texts {
    /// The number of a text.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.into());
        self.numbers.insert(text.into(), number);
        number
    }

    /// The text that has a number.
    pub(super) fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", |text| text)
    }
}

/// What is counted, in numbers of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) dim: u32,
    pub(super) name: u32,
    pub(super) value: u32,
    pub(super) currency: u32,
    /// The quarter of an hour, or the day.
    pub(super) time: i32,
}

/// How many events, and the sum of their amounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) cnt: i64,
    pub(super) amount_minor: i64,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.cnt = self.cnt.saturating_add(other.cnt);
        self.amount_minor = self.amount_minor.saturating_add(other.amount_minor);
    }
}

/// What was counted now, and what is stored.
#[derive(Debug, Default)]
struct Both {
    made: Sum,
    stored: Sum,
}

/// Counts by key.
#[derive(Debug, Default)]
pub(super) struct Counts(HashMap<Key, Both>);

impl Counts {
    /// Counts.
    pub(super) fn make(&mut self, key: Key, sum: Sum) {
        self.0.entry(key).or_default().made.add(sum);
    }

    /// Adds what is stored.
    pub(super) fn is_stored(&mut self, key: Key, sum: Sum) {
        self.0.entry(key).or_default().stored.add(sum);
    }

    /// Adds what was counted by quarter of an hour to the counts of local days.
    pub(super) fn add_to(&self, days: &mut Self, local: &LocalDays) {
        for (key, both) in &self.0 {
            if both.made.cnt > 0
                && let Some(time) = local.of(key.time)
            {
                days.make(Key { time, ..*key }, both.made);
            }
        }
    }

    /// Forgets all of it, and keeps the room.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What is not stored as it was counted: as it should be. Nothing is left.
    pub(super) fn take_differing(&mut self) -> impl Iterator<Item = (Key, Sum)> {
        self.0
            .drain()
            .filter(|(_, both)| both.made != both.stored)
            .map(|(key, both)| (key, both.made))
    }
}
