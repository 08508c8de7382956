//! The phrases: from the words at a place to a rule and the index after them.

use chrono::Weekday;

use super::words::{month, number, ordinal, unit, weekday};
use super::{Freq, Rule};

pub(super) fn phrase(texts: &[&str], at: usize) -> Option<(Rule, usize)> {
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
