//! Numbers, changes and dates as people read them. One formatter for screen, page and file.

use chrono::{DateTime, Datelike, NaiveDate};
use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};

use super::{locale::Locale, shape::Color, shape::color};
use crate::query::{Change, ChangeNote, Column, ColumnKind, Granularity, Unit};

/// A space at which no line ends.
const FIXED_SPACE: char = '\u{a0}';

/// Whether something is as one would like it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Bad,
    Neutral,
}

impl Tone {
    pub(crate) const fn color(self) -> Color {
        match self {
            Self::Good => color::GOOD,
            Self::Bad => color::BAD,
            Self::Neutral => color::MUTED,
        }
    }
}

/// A number of a column, whole.
pub(crate) fn number(value: Decimal, column: &Column, locale: Locale) -> String {
    match column.unit.unwrap_or(Unit::Count) {
        Unit::Count if value.fract().is_zero() => decimal(value, 0, locale),
        Unit::Count | Unit::Ratio => decimal(value, 2, locale),
        Unit::Money => money(value, column, locale),
        Unit::Percent => percent(value, locale),
        Unit::Seconds => duration(value),
        Unit::Days => format!(
            "{}{FIXED_SPACE}{}",
            decimal(value, 1, locale),
            locale.words().days
        ),
    }
}

/// A number at an axis or in a cell of a grid: three figures or so.
pub(super) fn compact(value: f64, column: &Column, locale: Locale) -> String {
    let Some(exact) = Decimal::from_f64_retain(value) else {
        return String::new();
    };
    match column.unit.unwrap_or(Unit::Count) {
        Unit::Percent => {
            let places = if value != 0.0 && value.abs() < 0.1 {
                1
            } else {
                0
            };
            in_percent(exact, places, locale)
        }
        Unit::Seconds => duration(exact),
        Unit::Money => with_currency(short(value, locale), column, locale),
        Unit::Count | Unit::Ratio | Unit::Days => short(value, locale),
    }
}

fn short(value: f64, locale: Locale) -> String {
    let (divisor, suffix) = match value.abs() {
        size if size >= 1e9 => (1e9, steps(locale)[2]),
        size if size >= 1e6 => (1e6, steps(locale)[1]),
        size if size >= 1e4 => (1e3, steps(locale)[0]),
        _ => (1.0, ""),
    };
    let scaled = value / divisor;
    let places = if scaled.fract().abs() < 1e-9 {
        0
    } else if scaled.abs() < 1.0 {
        2
    } else {
        u32::from(scaled.abs() < 100.0)
    };
    let figures = decimal(
        Decimal::from_f64_retain(scaled).unwrap_or_default(),
        places,
        locale,
    );
    let mark = locale.decimal_mark();
    let figures = if figures.contains(mark) {
        figures.trim_end_matches('0').trim_end_matches(mark)
    } else {
        &figures
    };
    format!("{figures}{suffix}")
}

/// Thousand, million, thousand million.
const fn steps(locale: Locale) -> [&'static str; 3] {
    match locale {
        Locale::En => ["K", "M", "B"],
        Locale::De => ["\u{a0}Tsd.", "\u{a0}Mio.", "\u{a0}Mrd."],
        Locale::Es => ["\u{a0}mil", "\u{a0}M", "\u{a0}mil\u{a0}M"],
        Locale::Fr => ["\u{a0}k", "\u{a0}M", "\u{a0}Md"],
    }
}

/// With so many decimals, and marks between thousands.
pub(crate) fn decimal(value: Decimal, places: u32, locale: Locale) -> String {
    let rounded = value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    let text = format!("{:.*}", places as usize, rounded.abs());
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = String::with_capacity(text.len() + 6);
    if rounded.is_sign_negative() && !rounded.is_zero() {
        out.push('-');
    }
    let grouped = whole.len() >= locale.grouped_from();
    for (n, figure) in whole.chars().enumerate() {
        if grouped && n > 0 && (whole.len() - n) % 3 == 0 {
            out.push(locale.group_mark());
        }
        out.push(figure);
    }
    if !rest.is_empty() {
        out.push(locale.decimal_mark());
        out.push_str(rest);
    }
    out
}

fn money(value: Decimal, column: &Column, locale: Locale) -> String {
    let places = minor_digits(column.currency.as_deref().unwrap_or_default());
    with_currency(decimal(value, places, locale), column, locale)
}

fn with_currency(figures: String, column: &Column, locale: Locale) -> String {
    let code = column.currency.as_deref().unwrap_or_default();
    if code.is_empty() {
        return figures;
    }
    let sign = match code {
        "USD" if matches!(locale, Locale::En) => "$",
        "EUR" => "€",
        "GBP" => "£",
        "JPY" => "¥",
        "INR" => "₹",
        other => other,
    };
    if !matches!(locale, Locale::En) {
        return format!("{figures}{FIXED_SPACE}{sign}");
    }
    let gap = if sign.is_ascii() && sign.len() > 1 {
        "\u{a0}"
    } else {
        ""
    };
    match figures.strip_prefix('-') {
        Some(figures) => format!("-{sign}{gap}{figures}"),
        None => format!("{sign}{gap}{figures}"),
    }
}

/// Decimals of a currency (ISO 4217).
pub(crate) fn minor_digits(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

fn percent(share: Decimal, locale: Locale) -> String {
    let places = if share.abs() < Decimal::new(1, 1) {
        2
    } else {
        1
    };
    in_percent(share, places, locale)
}

fn in_percent(share: Decimal, places: u32, locale: Locale) -> String {
    let figures = decimal(share * Decimal::ONE_HUNDRED, places, locale);
    percent_sign(&figures, locale)
}

fn percent_sign(figures: &str, locale: Locale) -> String {
    match locale {
        Locale::En => format!("{figures}%"),
        Locale::De | Locale::Es => format!("{figures}{FIXED_SPACE}%"),
        Locale::Fr => format!("{figures}\u{202f}%"),
    }
}

/// A share of a whole, as 12.5%.
pub(super) fn share(part: f64, locale: Locale) -> String {
    let part = Decimal::from_f64_retain(part).unwrap_or_default();
    in_percent(part, 1, locale)
}

fn duration(value: Decimal) -> String {
    let seconds = value.round().to_i64().unwrap_or_default();
    let (sign, seconds) = (if seconds < 0 { "-" } else { "" }, seconds.abs());
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{sign}{rest}{FIXED_SPACE}s"),
        (0, _) => format!("{sign}{minutes}:{rest:02}{FIXED_SPACE}min"),
        _ => format!("{sign}{hours}:{minutes:02}{FIXED_SPACE}h"),
    }
}

/// A change with its sign, and whether it is good; none when there is nothing to compare with.
pub(crate) fn change_text(change: &Change, locale: Locale) -> Option<(String, Tone)> {
    let tone = match change.good {
        Some(true) => Tone::Good,
        Some(false) => Tone::Bad,
        None => Tone::Neutral,
    };
    if change.note == Some(ChangeNote::New) {
        return Some((locale.words().new.to_owned(), tone));
    }
    let by = change.percent.or(change.points)?;
    let sign = if by > Decimal::ZERO { "+" } else { "" };
    let figures = format!("{sign}{}", decimal(by, 1, locale));
    let text = match change.percent {
        Some(_) => percent_sign(&figures, locale),
        None => format!("{figures}{FIXED_SPACE}{}", locale.words().points),
    };
    Some((text, tone))
}

/// What stands in a column of time or of a dimension.
pub(crate) fn key_text(
    key: Option<&str>,
    column: &Column,
    piece: Granularity,
    locale: Locale,
) -> String {
    match (key, column.kind) {
        (None | Some(""), _) => locale.words().not_set.to_owned(),
        (Some(key), ColumnKind::Time) => time_text(key, piece, locale),
        (Some(key), _) => key.to_owned(),
    }
}

/// The beginning of a piece of time, as long as needed to tell it from others.
pub(super) fn time_text(key: &str, piece: Granularity, locale: Locale) -> String {
    let Some(day) = key.get(..10).and_then(|day| day.parse::<NaiveDate>().ok()) else {
        return key.to_owned();
    };
    let month = locale.words().months[day.month0() as usize];
    let year = day.year();
    match piece {
        Granularity::Hour => match DateTime::parse_from_rfc3339(key) {
            Ok(at) => format!("{} {}", short_day(day, locale), at.format("%H:%M")),
            Err(_) => short_day(day, locale),
        },
        Granularity::Day | Granularity::Week => short_day(day, locale),
        Granularity::Month => format!("{month} {year}"),
        Granularity::Quarter => format!("Q{} {year}", day.month0() / 3 + 1),
        Granularity::Year => year.to_string(),
    }
}

fn short_day(day: NaiveDate, locale: Locale) -> String {
    let month = locale.words().months[day.month0() as usize];
    let number = day.day();
    match locale {
        Locale::En => format!("{month} {number}"),
        Locale::De => format!("{number}. {month}"),
        Locale::Es | Locale::Fr => format!("{number} {month}"),
    }
}

/// A whole date.
pub(crate) fn day_text(day: NaiveDate, locale: Locale) -> String {
    match locale {
        Locale::En => format!("{}, {}", short_day(day, locale), day.year()),
        _ => format!("{} {}", short_day(day, locale), day.year()),
    }
}
