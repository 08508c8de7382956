//! The words of recurrence.

use chrono::Weekday;

use super::Freq;
use crate::understand::numerals::{ORDINALS, SMALL, index_in};

pub(super) const fn code(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "MO",
        Weekday::Tue => "TU",
        Weekday::Wed => "WE",
        Weekday::Thu => "TH",
        Weekday::Fri => "FR",
        Weekday::Sat => "SA",
        Weekday::Sun => "SU",
    }
}

pub(super) fn weekday(word: &str) -> Option<Weekday> {
    let single = match word {
        "wednesdays" | "wednesday" | "weds" | "wed" => return Some(Weekday::Wed),
        "tues" | "tue" => return Some(Weekday::Tue),
        "thurs" | "thur" | "thu" => return Some(Weekday::Thu),
        "mon" => return Some(Weekday::Mon),
        "fri" => return Some(Weekday::Fri),
        "sat" => return Some(Weekday::Sat),
        "sun" => return Some(Weekday::Sun),
        other => other.strip_suffix('s').unwrap_or(other),
    };
    Some(match single {
        "monday" => Weekday::Mon,
        "tuesday" => Weekday::Tue,
        "thursday" => Weekday::Thu,
        "friday" => Weekday::Fri,
        "saturday" => Weekday::Sat,
        "sunday" => Weekday::Sun,
        _ => return None,
    })
}

/// A unit of time; those that come more often than daily have no frequency.
pub(super) fn unit(word: &str) -> Option<(&str, Option<Freq>)> {
    let freq = match word {
        "day" | "days" | "morning" | "mornings" | "evening" | "evenings" | "night" | "nights"
        | "afternoon" | "afternoons" | "noon" => Some(Freq::Daily),
        "week" | "weeks" => Some(Freq::Weekly),
        "month" | "months" => Some(Freq::Monthly),
        "year" | "years" => Some(Freq::Yearly),
        "hour" | "hours" | "minute" | "minutes" | "second" | "seconds" => None,
        _ => return None,
    };
    Some((word, freq))
}

pub(in crate::understand) fn number(word: &str) -> Option<u32> {
    let named = index_in(&SMALL[..=12], word).or_else(|| word.parse().ok());
    named.filter(|count| (1..=99).contains(count))
}

/// "1st", "first", "15th", "last"; days and counts of a month.
pub(super) fn ordinal(word: &str) -> Option<i32> {
    if word == "last" {
        return Some(-1);
    }
    if let Some(named) = index_in(&ORDINALS[..=15], word) {
        return i32::try_from(named).ok();
    }
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let suffix = &word[digits.len()..];
    let day: i32 = digits.parse().ok()?;
    (matches!(suffix, "" | "st" | "nd" | "rd" | "th") && (1..=31).contains(&day)).then_some(day)
}

pub(in crate::understand) fn month(word: &str) -> Option<u32> {
    const NAMES: &[&str] = &[
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let at = NAMES
        .iter()
        .position(|name| *name == word || word.len() == 3 && name.starts_with(word))?;
    u32::try_from(at + 1).ok()
}
