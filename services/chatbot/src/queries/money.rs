//! Amounts of money, summed exactly and by currency.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::crm::Money;

/// An amount. `None` for what is no amount with at most two digits after the point.
pub(crate) fn parse(amount: &str) -> Option<Decimal> {
    let amount: Decimal = amount.parse().ok()?;
    (amount.scale() <= 2).then_some(amount)
}

/// Sums by currency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sums(BTreeMap<String, Decimal>);

impl Sums {
    /// Adds an amount. What is no amount is left out.
    pub(crate) fn add(&mut self, currency: &str, amount: &str) {
        if let Some(amount) = parse(amount) {
            *self.0.entry(currency.to_owned()).or_default() += amount;
        }
    }

    /// Adds what a record has.
    pub(crate) fn add_money(&mut self, money: Option<&Money>) {
        if let Some(money) = money {
            self.add(&money.currency, &money.amount);
        }
    }

    /// Adds other sums.
    pub(crate) fn add_all(&mut self, other: &Self) {
        for (currency, amount) in &other.0 {
            *self.0.entry(currency.clone()).or_default() += amount;
        }
    }

    /// For people: "12,000.00 EUR and 50.00 USD".
    pub(crate) fn shown(&self) -> String {
        let all: Vec<String> = self
            .0
            .iter()
            .map(|(currency, sum)| format!("{} {currency}", written(*sum)))
            .collect();
        if all.is_empty() {
            return "nothing".to_owned();
        }
        all.join(" and ")
    }
}

fn written(sum: Decimal) -> String {
    let text = format!("{:.2}", sum.abs());
    let (whole, part) = text.split_once('.').unwrap_or((&text, "00"));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if sum.is_sign_negative() { "-" } else { "" };
    format!("{sign}{grouped}.{part}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_summed_exactly_and_by_currency() {
        let mut sums = Sums::default();
        sums.add("EUR", "1234567.10");
        sums.add("EUR", "0.9");
        sums.add("USD", "-50");
        sums.add("USD", "a lot");
        assert_eq!(sums.shown(), "1,234,568.00 EUR and -50.00 USD");
        assert_eq!(Sums::default().shown(), "nothing");
        assert_eq!((parse("1.234"), parse("")), (None, None));
    }
}
