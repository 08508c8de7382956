//! Currencies: how many of the smallest unit make one of the main unit (ISO 4217).

use rust_decimal::Decimal;

/// An amount of the smallest unit in the main unit.
pub(super) fn main_unit(minor: Decimal, currency: &str) -> Option<Decimal> {
    let factor = match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 1,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 1_000,
        "CLF" | "UYW" => 10_000,
        _ => 100,
    };
    minor.checked_div(Decimal::from(factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_as_many_decimals_as_their_currency() {
        for (currency, amount) in [
            ("EUR", "12.34"),
            ("JPY", "1234"),
            ("KWD", "1.234"),
            ("CLF", "0.1234"),
            ("", "12.34"),
        ] {
            let told = main_unit(Decimal::from(1234), currency).unwrap();
            assert_eq!(told.to_string(), amount, "{currency}");
        }
    }
}
