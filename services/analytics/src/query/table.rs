//! What was counted, by piece of time and dimensions.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rust_decimal::Decimal;

use super::currency::main_unit;
use super::expression::Leaf;
use super::sql::{Group, Read};

/// Groups and what was counted in them.
#[derive(Debug, Default)]
pub(super) struct Table {
    cells: HashMap<Key, Cell>,
}

/// Which piece of time, and the values of the dimensions.
pub(super) type Key = (usize, Vec<String>);

/// What was counted of each leaf, by currency.
#[derive(Debug, Clone)]
pub(super) struct Cell(Vec<BTreeMap<String, Decimal>>);

impl Table {
    /// Adds what was counted in one way. Amounts without a currency are taken to be in the tenant's.
    pub(super) fn add(&mut self, group: Group, read: &Read, leaves: usize, default: &str) {
        let key = (usize::try_from(group.piece).unwrap_or(0), group.keys);
        let cell = self.cells.entry(key).or_insert_with(|| Cell::empty(leaves));
        for ((n, leaf), sum) in read.leaves.iter().zip(group.sums) {
            let Some(sum) = sum else { continue };
            match (leaf.is_money(), group.currency.as_str()) {
                (false, _) => cell.add(*n, "", sum),
                (true, "") => cell.add(*n, default, sum),
                (true, currency) => cell.add(*n, currency, sum),
            }
        }
    }

    /// A group.
    pub(super) fn cell(&self, key: &Key) -> Option<&Cell> {
        self.cells.get(key)
    }

    /// All combinations of values that the dimensions have.
    pub(super) fn combinations(&self) -> BTreeSet<&Vec<String>> {
        self.cells.keys().map(|(_, keys)| keys).collect()
    }

    /// The sum of all groups. What may not be added is not to be looked at in it.
    pub(super) fn sum(&self, leaves: usize) -> Cell {
        let mut sum = Cell::empty(leaves);
        for cell in self.cells.values() {
            for (leaf, amounts) in cell.0.iter().enumerate() {
                for (currency, amount) in amounts {
                    sum.add(leaf, currency, *amount);
                }
            }
        }
        sum
    }

    /// The currencies of amounts that are not zero.
    pub(super) fn currencies(&self, leaves: &[Leaf]) -> BTreeSet<&str> {
        let amounts = self
            .cells
            .values()
            .flat_map(|cell| cell.0.iter().zip(leaves));
        let amounts = amounts.filter(|(_, leaf)| leaf.is_money());
        amounts
            .flat_map(|(amounts, _)| spent(amounts))
            .map(|(currency, _)| currency)
            .collect()
    }
}

impl Cell {
    pub(super) fn empty(leaves: usize) -> Self {
        Self(vec![BTreeMap::new(); leaves])
    }

    fn add(&mut self, leaf: usize, currency: &str, more: Decimal) {
        let amounts = &mut self.0[leaf];
        match amounts.get_mut(currency) {
            Some(sum) => *sum = sum.saturating_add(more),
            None => {
                amounts.insert(currency.to_owned(), more);
            }
        }
    }

    /// Takes one leaf of another cell in the place of its own.
    pub(super) fn replace(&mut self, leaf: usize, other: &Self) {
        self.0[leaf].clone_from(&other.0[leaf]);
    }

    /// The number of a leaf, amounts in the main unit of their currency. None where there is none, and for a sum over two
    /// currencies.
    pub(super) fn number(&self, n: usize, leaf: Leaf) -> Option<Decimal> {
        let amounts = &self.0[n];
        if amounts.is_empty() {
            return leaf.without_rows();
        }
        if !leaf.is_money() {
            return amounts
                .values()
                .try_fold(Decimal::ZERO, |sum, more| sum.checked_add(*more));
        }
        let mut spent = spent(amounts);
        match (spent.next(), spent.next()) {
            (None, _) => Some(Decimal::ZERO),
            (Some((currency, amount)), None) => main_unit(amount, currency),
            (Some(_), Some(_)) => None,
        }
    }
}

/// The amounts that are not zero.
fn spent(amounts: &BTreeMap<String, Decimal>) -> impl Iterator<Item = (&str, Decimal)> {
    let amounts = amounts.iter().filter(|(_, amount)| !amount.is_zero());
    amounts.map(|(currency, amount)| (currency.as_str(), *amount))
}
