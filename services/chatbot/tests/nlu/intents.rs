//! English utterances of public corpora: to-do commands, their dated cousins, and everything else.

use std::collections::BTreeMap;

use chatbot::understand::{Engine, Intent, Situation, understand};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::shared::{csv_rows, dev_file, percent};

fn now() -> DateTime<Utc> {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

/// A question waits for its answer.
fn waiting() -> Situation {
    Situation {
        asked: true,
        ..Situation::at(now(), Tz::UTC)
    }
}

/// The five classes that the corpora can tell apart; dated variants are folded in.
fn class(intent: Intent) -> &'static str {
    match intent {
        Intent::TodoCreate => "create",
        Intent::TodoList => "list",
        Intent::TodoDelete | Intent::TodoBulkDelete => "delete",
        Intent::TodoComplete => "complete",
        Intent::TodoUpdate => "update",
        _ => "none",
    }
}

fn expected(action: &str) -> Option<&'static [&'static str]> {
    Some(match action {
        "create" | "create_dated" => &["create"],
        "list" | "list_dated" => &["list"],
        "delete" | "delete_dated" => &["delete"],
        "update_dated" => &["update"],
        "create_or_delete" | "create_or_delete_dated" => &["create", "delete"],
        "create_or_update_or_delete" => &["create", "delete", "update"],
        "out_of_domain" | "other" | "smalltalk" | "help" | "confirm_yes" | "confirm_no"
        | "confirm_unsure" => &["none"],
        _ => return None,
    })
}

#[derive(Default)]
struct Score {
    right: usize,
    all: usize,
}

#[test]
fn commands_are_told_from_everything_else() {
    let Some(text) = dev_file("intents_en.csv") else {
        return;
    };
    let mut scores: BTreeMap<(String, String), Score> = BTreeMap::new();
    let (mut acted, mut foreign, mut right, mut all) = (0, 0, 0, 0);
    for row in csv_rows(&text) {
        let (source, action, text) = (&row[0], row[4].as_str(), &row[5]);
        let Some(accepted) = expected(action) else {
            continue;
        };
        let got = class(understand(text, &Situation::at(now(), Tz::UTC)).intent);
        let score = scores
            .entry((source.to_owned(), action.to_owned()))
            .or_default();
        score.all += 1;
        all += 1;
        if accepted.contains(&got) {
            score.right += 1;
            right += 1;
        } else {
            println!("miss\t{source}\t{action}\t{got}\t{text}");
        }
        if action == "out_of_domain" {
            foreign += 1;
            acted += usize::from(got != "none");
        }
    }
    for ((source, action), score) in &scores {
        println!(
            "score\t{source}\t{action}\t{}/{}\t{:.1} %",
            score.right,
            score.all,
            percent(score.right, score.all)
        );
    }
    let (right_new, all_new) = scores
        .iter()
        .filter(|((source, _), _)| source == "mtod")
        .fold((0, 0), |(right, all), (_, score)| {
            (right + score.right, all + score.all)
        });
    println!(
        "score\tnever trained on\t{right_new}/{all_new}\t{:.1} %",
        percent(right_new, all_new)
    );
    assert!(percent(right_new, all_new) >= 97.5);
    println!(
        "score\tall\t{right}/{all}\t{:.1} %; wrongly acted on {acted}/{foreign} ({:.1} %)",
        percent(right, all),
        percent(acted, foreign)
    );
    // The classifier was trained on most of these rows; `train_intents` says how it does on others.
    assert!(percent(right, all) >= 98.0);
    assert!(percent(acted, foreign) <= 1.5);
}

#[test]
fn an_unsure_answer_is_never_a_yes() {
    let Some(text) = dev_file("intents_en.csv") else {
        return;
    };
    let mut counts: BTreeMap<(String, Intent), usize> = BTreeMap::new();
    // Only what the rules take for a yes makes anything happen.
    let mut yes: BTreeMap<String, usize> = BTreeMap::new();
    for row in csv_rows(&text) {
        if row[4].starts_with("confirm_") {
            let understood = understand(&row[5], &waiting());
            let intent = understood.intent;
            if intent == Intent::ConfirmYes && understood.engine == Engine::Rules {
                *yes.entry(row[4].clone()).or_default() += 1;
            } else if intent == Intent::ConfirmYes {
                println!("asked again\t{}", row[5]);
            }
            if row[4] == "confirm_yes" && intent != Intent::ConfirmYes {
                println!("yes\t{}\t{intent:?}", row[5]);
            }
            *counts.entry((row[4].clone(), intent)).or_default() += 1;
        }
    }
    let count = |action: &str, intent: Intent| {
        counts
            .get(&(action.to_owned(), intent))
            .copied()
            .unwrap_or_default()
    };
    println!("score\tanswers\t{counts:?}");
    println!("score\tanswers\tyes by rules: {yes:?}");
    assert_eq!(yes.keys().collect::<Vec<_>>(), ["confirm_yes"]);
    assert_eq!(count("confirm_unsure", Intent::ConfirmYes), 0);
    assert_eq!(count("confirm_no", Intent::ConfirmYes), 0);
    // A yes taken for a no changes nothing; "that is not false" is one.
    assert!(count("confirm_yes", Intent::ConfirmNo) <= 1);
    assert!(count("confirm_yes", Intent::ConfirmYes) >= 95);
    assert!(count("confirm_no", Intent::ConfirmNo) >= 210);
}
