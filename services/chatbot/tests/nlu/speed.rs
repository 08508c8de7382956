//! How long understanding takes.

use std::time::{Duration, Instant};

use chatbot::understand::{Situation, understand_all};
use chrono_tz::Tz;

use crate::shared::{csv_rows, dev_file};

#[test]
fn understanding_takes_well_under_thirty_milliseconds() {
    let Some(text) = dev_file("intents_en.csv") else {
        return;
    };
    let situation = Situation::at("2026-03-02T09:00:00Z".parse().unwrap(), Tz::UTC);
    let mut times: Vec<Duration> = csv_rows(&text)
        .iter()
        .step_by(5)
        .map(|row| {
            let begin = Instant::now();
            std::hint::black_box(understand_all(&row[5], &situation));
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |share: usize| times[times.len() * share / 100];
    println!(
        "score\tspeed\tp50 {:?}, p95 {:?}, p99 {:?}",
        at(50),
        at(95),
        at(99)
    );
    assert!(at(95) <= Duration::from_millis(30));
}
