//! "every Monday at 9", "daily", "every two weeks", "monthly on the 1st": how a to-do comes again, as a rule of RFC 5545. What
//! would come more often than daily is declined: the CRM does not have it.

mod first;
mod phrases;
mod words;

use std::ops::Range as Span;

use chrono::Weekday;

use super::normalise::{self, Word};
use phrases::phrase;
use words::weekday;
pub(super) use words::{month as month_of, number as count};

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Freq {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// How a to-do comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    freq: Freq,
    interval: u32,
    days: Vec<Weekday>,
    /// "the first Monday": which of the month; negative counts from its end.
    nth: Option<i32>,
    month_day: Option<i32>,
    month: Option<u32>,
}

impl Rule {
    const fn every(interval: u32, freq: Freq) -> Self {
        Self {
            freq,
            interval,
            days: Vec::new(),
            nth: None,
            month_day: None,
            month: None,
        }
    }

    fn weekly(days: Vec<Weekday>) -> Self {
        Self {
            days,
            ..Self::every(1, Freq::Weekly)
        }
    }

    /// The rule as RFC 5545 writes it.
    pub(super) fn text(&self) -> String {
        let freq = match self.freq {
            Freq::Daily => "DAILY",
            Freq::Weekly => "WEEKLY",
            Freq::Monthly => "MONTHLY",
            Freq::Yearly => "YEARLY",
        };
        let mut text = format!("FREQ={freq}");
        if self.interval > 1 {
            text.push_str(&format!(";INTERVAL={}", self.interval));
        }
        if let Some(month) = self.month {
            text.push_str(&format!(";BYMONTH={month}"));
        }
        if let Some(day) = self.month_day {
            text.push_str(&format!(";BYMONTHDAY={day}"));
        }
        if !self.days.is_empty() {
            let nth = self.nth.map(|nth| nth.to_string()).unwrap_or_default();
            let names: Vec<String> = self
                .days
                .iter()
                .map(|day| format!("{nth}{}", words::code(*day)))
                .collect();
            text.push_str(&format!(";BYDAY={}", names.join(",")));
        }
        text
    }
}

/// A rule, and the bytes of the message that say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recurrence {
    pub(super) rule: Rule,
    pub(super) span: Span<usize>,
}

/// Finds how often a message says that its to-do comes.
pub(super) fn find(message: &str) -> Option<Recurrence> {
    let words = ranges_said(message, normalise::words(message));
    let texts = normalise::texts(&words);
    (0..texts.len())
        .find_map(|at| {
            let (rule, end) = phrase(&texts, at)?;
            let begin = lead_in(&texts, at);
            let (first, last) = (words.get(begin)?, words.get(end - 1)?);
            Some(Recurrence {
                rule,
                span: first.span.start..last.span.end,
            })
        })
        .filter(|found| !inside_quotes(message, &found.span))
}

/// "Mon-Fri" is said "Monday through Friday".
fn ranges_said(message: &str, words: Vec<Word>) -> Vec<Word> {
    let mut said: Vec<Word> = Vec::with_capacity(words.len());
    for word in words {
        if let Some(before) = said.last() {
            let between = before.span.end..word.span.start;
            let dash = matches!(message[between.clone()].trim(), "-" | "\u{2013}");
            if dash && weekday(&before.text).is_some() && weekday(&word.text).is_some() {
                said.push(Word {
                    text: "through".to_owned(),
                    span: between,
                });
            }
        }
        said.push(word);
    }
    said
}

/// A title in quotation marks is meant letter by letter.
fn inside_quotes(message: &str, span: &Span<usize>) -> bool {
    let before = message[..span.start].matches('"').count();
    before % 2 == 1 && message[span.end..].contains('"')
}

/// "on every Monday", "for every Tuesday": the preposition goes with the phrase.
fn lead_in(texts: &[&str], at: usize) -> usize {
    match at.checked_sub(1).and_then(|before| texts.get(before)) {
        Some(&("on" | "for" | "repeat" | "repeating" | "recurring")) => at - 1,
        Some(&"the") if at >= 2 && texts[at - 2] == "on" => at - 2,
        _ => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_rules_of_rfc_5545() {
        for (message, rule, said) in [
            (
                "water the plants every monday at 9",
                "FREQ=WEEKLY;BYDAY=MO",
                "every monday",
            ),
            ("stretch daily", "FREQ=DAILY", "daily"),
            (
                "pay rent on the first of every month",
                "FREQ=MONTHLY;BYMONTHDAY=1",
                "on the first of every month",
            ),
            (
                "invoice monthly on the 1st",
                "FREQ=MONTHLY;BYMONTHDAY=1",
                "monthly on the 1st",
            ),
            (
                "clean every two weeks",
                "FREQ=WEEKLY;INTERVAL=2",
                "every two weeks",
            ),
            (
                "call mom every other sunday",
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU",
                "every other sunday",
            ),
            (
                "stand-up every weekday at 9:30",
                "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
                "every weekday",
            ),
            (
                "gym on Mondays and Thursdays",
                "FREQ=WEEKLY;BYDAY=MO,TH",
                "on Mondays and Thursdays",
            ),
            (
                "alarm monday through wednesday",
                "FREQ=WEEKLY;BYDAY=MO,TU,WE",
                "monday through wednesday",
            ),
            (
                "review every first monday of the month",
                "FREQ=MONTHLY;BYDAY=1MO",
                "every first monday of the month",
            ),
            (
                "report on the last day of every month",
                "FREQ=MONTHLY;BYMONTHDAY=-1",
                "on the last day of every month",
            ),
            (
                "renew it every year on May 3rd",
                "FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=3",
                "every year on May 3rd",
            ),
            (
                "taxes every 3 months",
                "FREQ=MONTHLY;INTERVAL=3",
                "every 3 months",
            ),
            ("set a daily reminder to stretch", "FREQ=DAILY", "daily"),
            ("floss every night", "FREQ=DAILY", "every night"),
            (
                "work every Mon-Fri",
                "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
                "every Mon-Fri",
            ),
        ] {
            let found = find(message);
            let found = found.as_ref();
            assert_eq!(
                found.map(|found| found.rule.text()).as_deref(),
                Some(rule),
                "{message}"
            );
            assert_eq!(
                found.map(|found| &message[found.span.clone()]),
                Some(said),
                "{message}"
            );
        }
    }

    #[test]
    fn what_says_no_rule_is_left_alone() {
        for message in [
            "send the weekly report on friday",
            "check the oven every 20 minutes",
            "buy the daily mail",
            "tell everyone",
            "call every customer",
            "add \"water the plants every monday\"",
            "take 2 pills twice daily",
            "meet on monday",
        ] {
            assert_eq!(find(message), None, "{message}");
        }
    }
}
