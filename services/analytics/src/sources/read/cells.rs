//! Cells as values.

use std::str::FromStr as _;

use chrono::{
    DateTime, NaiveDate, NaiveDateTime, NaiveTime, Offset as _, TimeDelta, TimeZone as _, Utc,
};
use chrono_tz::Tz;
use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive as _};

/// A number. Signs of currencies, blanks and marks between thousands are passed over; `(12.50)` is less than nothing.
pub(super) fn number(cell: &str, comma: bool) -> Option<Decimal> {
    let negative = cell.starts_with('(') && cell.ends_with(')');
    let inner = if negative {
        &cell[1..cell.len() - 1]
    } else {
        cell
    };
    let inner = inner.trim_matches(|c: char| c.is_whitespace() || "$€£¥%".contains(c));
    let (point, thousands) = if comma { (',', '.') } else { ('.', ',') };
    let mut plain = String::with_capacity(inner.len());
    let mut pieces = inner.split(point);
    let whole: String = pieces
        .next()?
        .chars()
        .filter(|c| !matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\''))
        .collect();
    let groups: Vec<&str> = whole.split(thousands).collect();
    let grouped = groups.len() == 1
        || (!groups[0].is_empty() && groups[1..].iter().all(|group| group.len() == 3));
    if !grouped {
        return None;
    }
    plain.extend(groups);
    if let Some(decimals) = pieces.next() {
        plain.push('.');
        plain.push_str(decimals);
    }
    if pieces.next().is_some() {
        return None;
    }
    let value = Decimal::from_str(&plain)
        .or_else(|_| Decimal::from_scientific(&plain))
        .ok()?;
    Some(if negative { -value } else { value })
}

/// Digits behind the point of a currency's main unit (ISO 4217).
pub(crate) fn decimals(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// An amount in the currency's smallest unit, rounded half away from zero.
pub(crate) fn minor(amount: Decimal, currency: &str) -> Option<i64> {
    let scale = Decimal::from(10_i64.pow(decimals(currency)));
    let exact = amount.checked_mul(scale)?;
    exact
        .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
        .to_i64()
}

/// A day.
pub(super) fn day(cell: &str, format: Option<&str>) -> Option<NaiveDate> {
    if let Some(format) = format {
        let day = NaiveDate::parse_and_remainder(cell, format).map(|(day, _)| day);
        return day
            .or_else(|_| NaiveDateTime::parse_from_str(cell, format).map(|at| at.date()))
            .ok();
    }
    let date = cell
        .get(..10)
        .filter(|_| cell.len() >= 10 && !cell.is_ascii_digits())
        .unwrap_or(cell);
    let iso = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok();
    iso.or_else(|| (cell.len() == 8).then(|| NaiveDate::parse_from_str(cell, "%Y%m%d").ok())?)
}

trait AsciiDigits {
    fn is_ascii_digits(&self) -> bool;
}

impl AsciiDigits for str {
    fn is_ascii_digits(&self) -> bool {
        self.bytes().all(|b| b.is_ascii_digit())
    }
}

/// A moment; one without an offset is of the zone.
pub(super) fn instant(cell: &str, format: Option<&str>, zone: Tz) -> Option<DateTime<Utc>> {
    if let Some(format) = format {
        let local = NaiveDateTime::parse_from_str(cell, format).ok();
        return Some(at(
            local.or_else(|| day(cell, Some(format)).map(midnight))?,
            zone,
        ));
    }
    if let Ok(exact) = DateTime::parse_from_rfc3339(cell) {
        return Some(exact.to_utc());
    }
    let local = [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
    ]
    .iter()
    .find_map(|format| NaiveDateTime::parse_from_str(cell, format).ok());
    let offset = || {
        DateTime::parse_from_str(cell, "%Y-%m-%d %H:%M:%S %z")
            .ok()
            .map(|at| at.to_utc())
    };
    match local {
        Some(local) => Some(at(local, zone)),
        None => offset().or_else(|| {
            (cell.len() <= 10).then(|| day(cell, None).map(|day| at(midnight(day), zone)))?
        }),
    }
}

fn midnight(day: NaiveDate) -> NaiveDateTime {
    day.and_time(NaiveTime::MIN)
}

/// A local time as a moment: the first of two, and the end of the gap for one that there is not.
fn at(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    let found = zone.from_local_datetime(&local).earliest();
    found.map_or_else(
        || {
            // The gap is where the clock jumps: the offset from before it leads behind it.
            let before = zone
                .offset_from_utc_datetime(&(local - TimeDelta::days(1)))
                .fix();
            (local - before).and_utc()
        },
        |found| found.to_utc(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        let read = |cell: &str, comma| number(cell, comma).map(|n| n.to_string());
        for (cell, comma, expected) in [
            ("1234.50", false, Some("1234.50")),
            ("$1,234.50", false, Some("1234.50")),
            ("1.234,50 €", true, Some("1234.50")),
            ("1 234,5", true, Some("1234.5")),
            ("(12.50)", false, Some("-12.50")),
            ("-7", false, Some("-7")),
            ("12.5%", false, Some("12.5")),
            ("1e3", false, Some("1000")),
            ("1,5", false, None),
            ("12,34,567", false, None),
            ("1.2.3", false, None),
            ("n/a", false, None),
            ("", false, None),
        ] {
            assert_eq!(read(cell, comma).as_deref(), expected, "{cell:?}");
        }
    }

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        let of = |amount: &str, currency| minor(amount.parse().unwrap(), currency);
        assert_eq!(of("12.34", "EUR"), Some(1234));
        assert_eq!(of("1.005", "EUR"), Some(101));
        assert_eq!(of("-1.005", "EUR"), Some(-101));
        assert_eq!(of("1200", "JPY"), Some(1200));
        assert_eq!(of("1.234", "KWD"), Some(1234));
        assert_eq!(of("99999999999999999999", "EUR"), None);
    }

    #[test]
    fn days_and_moments_are_read_in_the_zone() {
        let zone: Tz = "Europe/London".parse().unwrap();
        let read = |cell: &str, format| instant(cell, format, zone).map(|at| at.to_rfc3339());
        for (cell, format, expected) in [
            (
                "2010-12-01 08:26:00",
                None,
                Some("2010-12-01T08:26:00+00:00"),
            ),
            ("2011-07-01 08:26", None, Some("2011-07-01T07:26:00+00:00")),
            ("2011-07-01", None, Some("2011-06-30T23:00:00+00:00")),
            (
                "2026-03-02T09:00:00+05:30",
                None,
                Some("2026-03-02T03:30:00+00:00"),
            ),
            // Does not exist: the clocks jump from 1 to 2.
            (
                "2026-03-29 01:30:00",
                None,
                Some("2026-03-29T01:30:00+00:00"),
            ),
            ("19970101", None, Some("1997-01-01T00:00:00+00:00")),
            (
                "31.12.2010 07:05",
                Some("%d.%m.%Y %H:%M"),
                Some("2010-12-31T07:05:00+00:00"),
            ),
            (
                "2/3/21",
                Some("%m/%d/%y"),
                Some("2021-02-03T00:00:00+00:00"),
            ),
            ("2/3/21", None, None),
            ("yesterday", None, None),
        ] {
            assert_eq!(read(cell, format).as_deref(), expected, "{cell}");
        }
        assert_eq!(
            day("2026-03-02 10:00:00", None),
            NaiveDate::from_ymd_opt(2026, 3, 2)
        );
        assert_eq!(day("2026-02-30", None), None);
    }
}
