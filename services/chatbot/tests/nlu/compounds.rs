//! Several requests in one message, and single ones that only look like several.

use chatbot::understand::{Intent, Situation, understand_all};
use chrono_tz::Tz;

fn parts(message: &str) -> Vec<(Intent, String)> {
    let situation = Situation::at("2026-03-02T08:00:00Z".parse().unwrap(), Tz::UTC);
    understand_all(message, &situation)
        .into_iter()
        .map(|part| {
            let slots = part.slots;
            (
                part.intent,
                slots.title.or(slots.mention).unwrap_or_default(),
            )
        })
        .collect()
}

#[test]
fn requests_that_are_certainly_several_are_split() {
    use Intent::{TodoComplete, TodoCreate, TodoDelete, TodoList};
    for (message, expected) in [
        (
            "add milk and remind me to call Ada tomorrow",
            vec![(TodoCreate, "milk"), (TodoCreate, "call Ada")],
        ),
        (
            "add milk and add eggs",
            vec![(TodoCreate, "milk"), (TodoCreate, "eggs")],
        ),
        (
            "mark call Ada as done and delete the task buy milk",
            vec![(TodoComplete, "call Ada"), (TodoDelete, "buy milk")],
        ),
        (
            "Add a todo: send the offer. Remind me to call Bob at 5pm.",
            vec![(TodoCreate, "send the offer"), (TodoCreate, "call Bob")],
        ),
        (
            "add buy milk to my list and then show my tasks",
            vec![(TodoCreate, "buy milk"), (TodoList, "")],
        ),
    ] {
        let expected: Vec<(Intent, String)> = expected
            .into_iter()
            .map(|(intent, name)| (intent, name.to_owned()))
            .collect();
        assert_eq!(parts(message), expected, "{message}");
    }
}

#[test]
fn one_request_stays_one() {
    for (message, name) in [
        (
            "remind me to buy milk and call Ada",
            "buy milk and call Ada",
        ),
        (
            "remind me to pick up the kids and make dinner",
            "pick up the kids and make dinner",
        ),
        ("add bread and butter", "bread and butter"),
        (
            "add \"buy milk and remind me to call Ada\"",
            "buy milk and remind me to call Ada",
        ),
        (
            "remind me to call Ada and cancel the meeting",
            "call Ada and cancel the meeting",
        ),
        ("remind me to see Dr. Miller", "see Dr. Miller"),
    ] {
        assert_eq!(
            parts(message),
            [(Intent::TodoCreate, name.to_owned())],
            "{message}"
        );
    }
}
