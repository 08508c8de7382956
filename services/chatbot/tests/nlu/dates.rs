//! Duckling's English corpus: phrases with one expected point in time.

use chatbot::understand::dates;
use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use serde_json::Value;

use crate::shared::{dev_file, percent};

/// The corpus's reference time, in its own zone.
fn reference() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2013, 2, 12)
        .unwrap()
        .and_hms_opt(4, 30, 0)
        .unwrap()
}

/// "datetime (2013, 2, 15, 0, 0, 0) Day" as a local time; intervals and ill-formed entries are not points.
fn point(expect: &str) -> Option<NaiveDateTime> {
    let inner = expect.strip_prefix("datetime (")?;
    let (numbers, grain) = inner.split_once(')')?;
    if grain.contains('[') {
        return None;
    }
    let n: Vec<i32> = numbers
        .split(',')
        .map(|n| n.trim().parse().unwrap())
        .collect();
    let unsigned = |i: usize| u32::try_from(n[i]).unwrap();
    NaiveDate::from_ymd_opt(n[0], unsigned(1), unsigned(2))?.and_hms_opt(
        unsigned(3),
        unsigned(4),
        unsigned(5),
    )
}

/// The moment in the corpus's own zone, which is two hours west of Greenwich.
fn local(moment: &dates::Moment) -> NaiveDateTime {
    let minutes = moment.offset.map_or(0, |offset| i64::from(-120 - offset));
    moment.at + TimeDelta::minutes(minutes)
}

#[test]
fn duckling_points_in_time_are_mostly_right_and_seldom_wrong() {
    let Some(text) = dev_file("dates_duckling.json") else {
        return;
    };
    let corpus: Value = serde_json::from_str(&text).unwrap();
    let (mut all, mut right, mut wrong) = (0, 0, 0);
    for case in corpus["langs"]["en"].as_array().unwrap() {
        let Some(expected) = point(case["expect"].as_str().unwrap()) else {
            continue;
        };
        for phrase in case["phrases"].as_array().unwrap() {
            let phrase = phrase.as_str().unwrap();
            all += 1;
            match dates::parse(phrase, reference()) {
                Some(moment) if local(&moment) == expected => right += 1,
                Some(moment) => {
                    wrong += 1;
                    println!(
                        "wrong: {phrase:?} gives {} and not {expected}",
                        local(&moment)
                    );
                }
                None => println!("declined: {phrase:?} ({expected})"),
            }
        }
    }
    let missed = all - right;
    println!(
        "duckling: {right} of {all} right ({:.1} %), {wrong} wrong, {} declined",
        percent(right, all),
        missed - wrong
    );
    assert!(percent(right, all) >= 94.0);
    assert!(
        wrong * 3 <= missed,
        "{wrong} of {missed} misses are wrong answers: declining is better"
    );
}
