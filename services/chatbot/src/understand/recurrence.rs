//! "every Monday at 9", "daily", "every two weeks", "monthly on the 1st": how a to-do comes again, as a rule of RFC 5545. What
//! would come more often than daily is declined: the CRM does not have it.

mod first;
mod words;

use std::ops::Range as Span;

use chrono::Weekday;

use super::normalise::{self, Word};
pub(super) use words::{month as month_of, number as count};
use words::{month, number, ordinal, unit, weekday};

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

fn phrase(texts: &[&str], at: usize) -> Option<(Rule, usize)> {
    let word = *texts.get(at)?;
    match word {
        "every" | "each" => every(texts, at + 1),
        "everyday" => Some((Rule::every(1, Freq::Daily), at + 1)),
        "weekdays" | "workdays" => after_on(texts, at).then(|| (weekdays(), at + 1)),
        "weekends" => after_on(texts, at).then(|| (weekend(), at + 1)),
        "daily" | "nightly" | "weekly" | "monthly" | "yearly" | "annually" | "biweekly"
        | "fortnightly" | "quarterly" => adverb(texts, at, word),
        "once" if matches!(texts.get(at + 1), Some(&("a" | "per" | "every"))) => {
            let (_, freq) = unit(texts.get(at + 2)?)?;
            Some((Rule::every(1, freq?), at + 3))
        }
        _ => named_days(texts, at).or_else(|| of_every_month(texts, at)),
    }
}

fn after_on(texts: &[&str], at: usize) -> bool {
    at > 0 && matches!(texts[at - 1], "on" | "at")
}

fn weekdays() -> Rule {
    use Weekday::{Fri, Mon, Thu, Tue, Wed};
    Rule::weekly(vec![Mon, Tue, Wed, Thu, Fri])
}

fn weekend() -> Rule {
    Rule::weekly(vec![Weekday::Sat, Weekday::Sun])
}

/// What stands after "every".
fn every(texts: &[&str], at: usize) -> Option<(Rule, usize)> {
    let word = *texts.get(at)?;
    if matches!(word, "single") {
        return every(texts, at + 1);
    }
    let (interval, at) = match word {
        "other" | "second" | "2nd"
            if texts
                .get(at + 1)
                .is_some_and(|next| unit(next).is_some() || weekday(next).is_some()) =>
        {
            (2, at + 1)
        }
        _ => match number(word) {
            Some(count) => (count, at + 1),
            None => (1, at),
        },
    };
    let word = *texts.get(at)?;
    match word {
        "weekday" | "weekdays" | "workday" | "workdays" if interval == 1 => {
            return Some((weekdays(), at + 1));
        }
        "weekend" | "weekends" if interval == 1 => return Some((weekend(), at + 1)),
        _ => {}
    }
    if let Some((days, end)) = days(texts, at) {
        let rule = Rule {
            interval,
            ..Rule::weekly(days)
        };
        return Some((rule, end));
    }
    if let Some((_, freq)) = unit(word) {
        return Some(more(texts, at + 1, Rule::every(interval, freq?)));
    }
    if word == "quarter" {
        return Some((Rule::every(3 * interval, Freq::Monthly), at + 1));
    }
    yearly(texts, at).or_else(|| nth_of_the_month(texts, at))
}

/// "every month on the 1st", "every week on Monday and Thursday", "every year on May 3".
fn more(texts: &[&str], at: usize, rule: Rule) -> (Rule, usize) {
    let plain = (rule.clone(), at);
    if texts.get(at) != Some(&"on") {
        return plain;
    }
    let from = at + 1 + usize::from(texts.get(at + 1) == Some(&"the"));
    match rule.freq {
        Freq::Weekly => match days(texts, from) {
            Some((days, end)) => (Rule { days, ..rule }, end),
            None => plain,
        },
        Freq::Monthly => {
            let Some(nth) = texts.get(from).and_then(|word| ordinal(word)) else {
                return plain;
            };
            match texts.get(from + 1).and_then(|word| weekday(word)) {
                Some(day) => (
                    Rule {
                        days: vec![day],
                        nth: Some(nth),
                        ..rule
                    },
                    from + 2,
                ),
                None => (
                    Rule {
                        month_day: Some(nth),
                        ..rule
                    },
                    from + 1 + usize::from(nth < 0 && texts.get(from + 1) == Some(&"day")),
                ),
            }
        }
        Freq::Yearly => yearly(texts, from).unwrap_or(plain),
        Freq::Daily => plain,
    }
}

/// "daily" and its kin: at the end, before a time, or before the kind of thing; "the weekly report" is a title.
fn adverb(texts: &[&str], at: usize, word: &str) -> Option<(Rule, usize)> {
    let next = texts.get(at + 1).copied().unwrap_or_default();
    let before = at.checked_sub(1).map_or("", |before| texts[before]);
    let kind = matches!(
        next,
        "reminder" | "reminders" | "alarm" | "alarms" | "todo" | "task" | "recurring" | "repeating"
    );
    let closes = matches!(
        next,
        "" | "at"
            | "on"
            | "by"
            | "in"
            | "before"
            | "after"
            | "from"
            | "starting"
            | "beginning"
            | "please"
            | "for"
            | "and"
            | "to"
    ) && !matches!(
        before,
        "the" | "my" | "our" | "a" | "this" | "twice" | "times"
    );
    if !(kind || closes) {
        return None;
    }
    let rule = match word {
        "daily" | "nightly" => Rule::every(1, Freq::Daily),
        "weekly" => Rule::every(1, Freq::Weekly),
        "biweekly" | "fortnightly" => Rule::every(2, Freq::Weekly),
        "monthly" => Rule::every(1, Freq::Monthly),
        "quarterly" => Rule::every(3, Freq::Monthly),
        _ => Rule::every(1, Freq::Yearly),
    };
    Some(more(texts, at + 1, rule))
}

/// "on Mondays", "Monday through Friday".
fn named_days(texts: &[&str], at: usize) -> Option<(Rule, usize)> {
    let word = texts.get(at)?;
    let plural = word.ends_with("days") && weekday(word).is_some();
    let ranged = matches!(texts.get(at + 1), Some(&("through" | "thru" | "till")))
        && weekday(word).is_some()
        && texts
            .get(at + 2)
            .is_some_and(|last| weekday(last).is_some());
    if !(ranged || plural && (after_on(texts, at) || at + 1 == texts.len())) {
        return None;
    }
    let (days, end) = days(texts, at)?;
    Some((Rule::weekly(days), end))
}

/// Weekdays one after another: "Monday, Wednesday and Friday", "Monday through Friday".
fn days(texts: &[&str], at: usize) -> Option<(Vec<Weekday>, usize)> {
    let first = weekday(texts.get(at)?)?;
    let mut days = vec![first];
    let mut end = at + 1;
    loop {
        let next = texts.get(end).copied().unwrap_or_default();
        if let Some(day) = weekday(next) {
            days.push(day);
            end += 1;
            continue;
        }
        let Some(day) = texts.get(end + 1).and_then(|word| weekday(word)) else {
            break;
        };
        match next {
            "and" | "or" => days.push(day),
            "through" | "thru" | "till" | "to" => {
                let mut between = days.last().map_or(day, Weekday::succ);
                while between != day {
                    days.push(between);
                    between = between.succ();
                }
                days.push(day);
            }
            _ => break,
        }
        end += 2;
    }
    days.sort_by_key(Weekday::num_days_from_monday);
    days.dedup();
    Some((days, end))
}

/// "(every) January 5th", "(yearly on the) 5th of January".
fn yearly(texts: &[&str], at: usize) -> Option<(Rule, usize)> {
    let (month, day, end) = if let Some(month) = month(texts.get(at)?) {
        (month, ordinal(texts.get(at + 1)?)?, at + 2)
    } else {
        let day = ordinal(texts.get(at)?)?;
        let of = at + 1 + usize::from(texts.get(at + 1) == Some(&"of"));
        (month(texts.get(of)?)?, day, of + 1)
    };
    let rule = Rule {
        month: Some(month),
        month_day: Some(day),
        ..Rule::every(1, Freq::Yearly)
    };
    Some((rule, end))
}

/// "(every) first Monday of the month", "(every) 15th of the month".
fn nth_of_the_month(texts: &[&str], at: usize) -> Option<(Rule, usize)> {
    let nth = ordinal(texts.get(at)?)?;
    let day = texts.get(at + 1).and_then(|word| weekday(word));
    let mut end = at + 1 + usize::from(day.is_some());
    let month = texts.get(end) == Some(&"of") && texts.get(end + 2) == Some(&"month");
    if month {
        end += 3;
    }
    let rule = Rule::every(1, Freq::Monthly);
    match day {
        Some(day) => Some((
            Rule {
                days: vec![day],
                nth: Some(nth),
                ..rule
            },
            end,
        )),
        None if month => Some((
            Rule {
                month_day: Some(nth),
                ..rule
            },
            end,
        )),
        None => None,
    }
}

/// "the first of every month", "the last day of each month", "the second Tuesday of every month".
fn of_every_month(texts: &[&str], at: usize) -> Option<(Rule, usize)> {
    let nth = ordinal(texts.get(at)?)?;
    let day = texts.get(at + 1).and_then(|word| weekday(word));
    let skipped = usize::from(day.is_some() || texts.get(at + 1) == Some(&"day"));
    let rest = &texts[at + 1 + skipped..];
    let (["of", "every" | "each", "month", ..] | ["every" | "each", "month", ..]) = rest else {
        return None;
    };
    let end = at + 1 + skipped + if rest[0] == "of" { 3 } else { 2 };
    let rule = Rule::every(1, Freq::Monthly);
    let rule = match day {
        Some(day) => Rule {
            days: vec![day],
            nth: Some(nth),
            ..rule
        },
        None => Rule {
            month_day: Some(nth),
            ..rule
        },
    };
    Some((rule, end))
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
