//! Amounts of money in a currency's smallest unit, and how people write them.

use rust_decimal::Decimal;

/// How many decimals a currency has (ISO 4217); two when none is named.
pub(crate) fn digits(currency: Option<&str>) -> u32 {
    match currency.unwrap_or_default() {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND"
        | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// An amount in the main unit.
pub(crate) fn main(minor: Decimal, digits: u32) -> Decimal {
    minor / Decimal::from(10_u64.pow(digits))
}
