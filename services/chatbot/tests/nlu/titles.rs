//! Titles: the labelled to-do text of reminders, and of add and complete sentences.

use chatbot::understand::{Intent, Situation, understand};
use chrono_tz::Tz;
use serde_json::Value;

use crate::shared::{csv_rows, dev_file, percent};

/// The labelled to-do text, when a sentence has exactly one.
fn labelled(annotation: &str) -> Option<String> {
    let slots: Value = serde_json::from_str(annotation).ok()?;
    let mut texts = slots
        .as_array()?
        .iter()
        .filter(|slot| slot["slot"] == "reminder/todo")
        .filter_map(|slot| slot["value"].as_str());
    let first = texts.next()?.to_owned();
    texts.next().is_none().then_some(first)
}

fn plain(text: &str) -> String {
    let kept: String = text
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || c.is_whitespace())
        .collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn titles_of_reminders_are_what_people_labelled() {
    let Some(text) = dev_file("intents_en.csv") else {
        return;
    };
    let now = "2026-03-02T09:00:00Z".parse().unwrap();
    let (mut right, mut all) = (0, 0);
    for row in csv_rows(&text)
        .iter()
        .filter(|row| row[3] == "reminder/set_reminder")
    {
        let Some(expected) = labelled(&row[6]) else {
            continue;
        };
        all += 1;
        let title = understand(&row[5], &Situation::at(now, Tz::UTC))
            .slots
            .title
            .unwrap_or_default();
        if plain(&title) == plain(&expected) {
            right += 1;
        } else {
            println!("title\t{}\t{title}\t{expected}", row[5]);
        }
    }
    println!(
        "score\ttitles\t{right}/{all} exactly right ({:.1} %)",
        percent(right, all)
    );
    assert!(percent(right, all) >= 85.0);
}

#[test]
fn items_are_added_and_completed_under_their_own_name() {
    let Some(text) = dev_file("todo_add_complete_multilang.json") else {
        return;
    };
    let now = "2026-03-02T09:00:00Z".parse().unwrap();
    let rows: Value = serde_json::from_str(&text).unwrap();
    let (mut right, mut all) = (0, 0);
    for row in rows
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["lang"] == "en")
    {
        all += 1;
        let sentence = row["text"].as_str().unwrap();
        let understood = understand(sentence, &Situation::at(now, Tz::UTC));
        // These corpora count "remove it from the list" as completing it; here deleting asks first.
        let fits = match row["action"].as_str().unwrap() {
            "create" => understood.intent == Intent::TodoCreate,
            _ => matches!(
                understood.intent,
                Intent::TodoComplete | Intent::TodoDelete | Intent::TodoBulkDelete
            ),
        };
        let item = understood
            .slots
            .title
            .or(understood.slots.mention)
            .unwrap_or_default();
        if fits && plain(&item) == plain(row["slots"]["item"].as_str().unwrap()) {
            right += 1;
        } else {
            println!("item\t{sentence}\t{item}\t{:?}", understood.intent);
        }
    }
    println!("score\titems\t{right}/{all} ({:.1} %)", percent(right, all));
    assert!(percent(right, all) >= 99.0);
}
