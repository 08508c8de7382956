//! What people say, and what it means on Monday 2026-03-02 at 10:00 in Sofia.

use chatbot::understand::{Intent, Situation, Understood, understand, understand_all};
use chrono_tz::Europe::Sofia;

fn read(message: &str) -> Understood {
    understand(
        message,
        &Situation::at("2026-03-02T08:00:00Z".parse().unwrap(), Sofia),
    )
}

#[test]
fn creating_gives_a_title_and_a_due_time() {
    for (message, title, due) in [
        (
            "add a todo: call Ada tomorrow at 3pm",
            "call Ada",
            "2026-03-03T13:00:00Z",
        ),
        (
            "Add a to-do: call Ada tomorrow at 3pm",
            "call Ada",
            "2026-03-03T13:00:00Z",
        ),
        (
            "remind me to send the invoice on friday",
            "send the invoice",
            "2026-03-06",
        ),
        (
            "Remind me tomorrow at noon to water the plants",
            "water the plants",
            "2026-03-03T10:00:00Z",
        ),
        ("please remind me to buy milk", "buy milk", ""),
        ("can you add buy milk to my to-do list?", "buy milk", ""),
        ("put wash the car on my list", "wash the car", ""),
        (
            "create a task to prepare the report by Friday 5pm",
            "prepare the report",
            "2026-03-06T15:00:00Z",
        ),
        ("new todo: pay rent on the 30th", "pay rent", "2026-03-30"),
        (
            "remind me on Friday of the vet appointment next Saturday",
            "vet appointment next Saturday",
            "2026-03-06",
        ),
        (
            "remind me tomorrow that I have a doctor's appointment at 3pm",
            "doctor's appointment",
            "2026-03-03T13:00:00Z",
        ),
        (
            "I need to remember to book the hotel next Tuesday",
            "book the hotel",
            "2026-03-10",
        ),
        (
            "don't let me forget to call the bank at 4",
            "call the bank",
            "2026-03-02T14:00:00Z",
        ),
        (
            "set a reminder for tomorrow at 3pm to call dentist's office",
            "call dentist's office",
            "2026-03-03T13:00:00Z",
        ),
        (
            "schedule a meeting with Tom on Thursday at 11:30",
            "meeting with Tom",
            "2026-03-05T09:30:00Z",
        ),
        (
            "add \"Review the contract, again\" to my list for 2026-03-20",
            "Review the contract, again",
            "2026-03-20",
        ),
        (
            "todo: renew the domain in 2 weeks",
            "renew the domain",
            "2026-03-16",
        ),
        (
            "remind me in 20 minutes to check the oven",
            "check the oven",
            "2026-03-02T08:20:00Z",
        ),
        (
            "remind me to water the plants every monday",
            "water the plants",
            "2026-03-09",
        ),
        (
            "remind me to prepare tomorrow's meeting",
            "prepare tomorrow's meeting",
            "2026-03-03",
        ),
        (
            "add Call M\u{fc}ller \u{2013} Angebot tomorrow",
            "Call M\u{fc}ller \u{2013} Angebot",
            "2026-03-03",
        ),
    ] {
        let understood = read(message);
        assert_eq!(understood.intent, Intent::TodoCreate, "{message}");
        assert_eq!(understood.slots.title.as_deref(), Some(title), "{message}");
        let at = understood
            .slots
            .due_at
            .map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        let got = at
            .or_else(|| understood.slots.due_date.map(|date| date.to_string()))
            .unwrap_or_default();
        assert_eq!(got, due, "{message}");
    }
}

#[test]
fn existing_ones_are_named() {
    use Intent::{TodoComplete, TodoDelete};
    for (message, intent, target) in [
        ("delete the call with Ada", TodoDelete, "call with Ada"),
        ("remove buy milk from my list", TodoDelete, "buy milk"),
        (
            "please take buy milk off my to-do list",
            TodoDelete,
            "buy milk",
        ),
        ("get rid of the dentist reminder", TodoDelete, "dentist"),
        (
            "cancel my reminder to call mom tomorrow",
            TodoDelete,
            "call mom",
        ),
        ("mark call Ada as done", TodoComplete, "call Ada"),
        ("I finished the report", TodoComplete, "report"),
        ("check off buy milk", TodoComplete, "buy milk"),
        (
            "complete \"send the invoice\"",
            TodoComplete,
            "send the invoice",
        ),
        ("the invoice is done", TodoComplete, "invoice"),
        ("I'm done with the dishes", TodoComplete, "dishes"),
    ] {
        let understood = read(message);
        assert_eq!(understood.intent, intent, "{message}");
        assert_eq!(
            understood.slots.mention.as_deref(),
            Some(target),
            "{message}"
        );
        assert!(!understood.slots.all, "{message}");
    }
}

#[test]
fn renaming_and_moving_name_both_ends() {
    let renamed = read("rename call Ada to call Grace");
    assert_eq!(
        (renamed.intent, renamed.slots.mention.as_deref()),
        (Intent::TodoUpdate, Some("call Ada"))
    );
    assert_eq!(renamed.slots.new_title.as_deref(), Some("call Grace"));
    let retitled = read("change the title of my task buy milk to \"buy oat milk\"");
    assert_eq!(
        (retitled.intent, retitled.slots.mention.as_deref()),
        (Intent::TodoUpdate, Some("buy milk"))
    );
    assert_eq!(retitled.slots.new_title.as_deref(), Some("buy oat milk"));
    let moved = read("move the call with Ada to friday at 9am");
    assert_eq!(
        (moved.intent, moved.slots.mention.as_deref()),
        (Intent::TodoUpdate, Some("call with Ada"))
    );
    assert_eq!(
        moved.slots.due_at,
        Some("2026-03-06T07:00:00Z".parse().unwrap())
    );
}

#[test]
fn questions_are_questions() {
    for (message, filter) in [
        ("what's on my list?", None),
        ("show my to-dos", None),
        ("What do I have to do today?", Some("2026-03-02")),
        ("list my tasks for tomorrow", Some("2026-03-03")),
        ("what is overdue?", Some("overdue")),
        ("which tasks are overdue", Some("overdue")),
        ("show me completed tasks", Some("completed")),
        ("show all my todos", Some("all")),
        ("do I have any reminders?", None),
    ] {
        let understood = read(message);
        assert_eq!(understood.intent, Intent::TodoList, "{message}");
        let filters = &understood.slots.filters;
        assert!(filters.len() <= 1, "{message}: {filters:?}");
        assert_eq!(
            filters.first().map(|filter| filter.value.as_str()),
            filter,
            "{message}"
        );
    }
    assert_eq!(
        read("what do I have on friday?").slots.due_date,
        "2026-03-06".parse().ok()
    );
    assert_eq!(read("how many leads do I have?").intent, Intent::LeadCount);
}

#[test]
fn answers_and_small_talk_are_told_apart() {
    for (message, intent) in [
        ("yes", Intent::ConfirmYes),
        ("Yes, please.", Intent::ConfirmYes),
        ("go ahead", Intent::ConfirmYes),
        ("no", Intent::ConfirmNo),
        ("no thanks", Intent::ConfirmNo),
        ("never mind", Intent::ConfirmNo),
        ("maybe", Intent::ConfirmUnsure),
        ("I am not sure", Intent::ConfirmUnsure),
        ("I don't know", Intent::ConfirmUnsure),
        ("yes but not now", Intent::None),
        ("help", Intent::Help),
        ("what can you do?", Intent::Help),
        ("hello", Intent::Smalltalk),
        ("play some jazz", Intent::None),
        ("what is the weather like", Intent::None),
        ("", Intent::None),
        ("   \u{1f600} ", Intent::None),
    ] {
        assert_eq!(read(message).intent, intent, "{message}");
    }
}

#[test]
fn everything_is_said_to_be_everything() {
    for message in [
        "delete all my to-dos",
        "delete everything on my list",
        "clear my to-do list",
    ] {
        let understood = read(message);
        assert_eq!(
            (understood.intent, understood.slots.all),
            (Intent::TodoBulkDelete, true),
            "{message}"
        );
    }
}

#[test]
fn no_text_makes_it_fail() {
    let pieces = [
        "remind me to ",
        "at ",
        "3",
        "pm",
        "\"",
        "every ",
        "to-do",
        "\u{130}",
        "'",
        ":",
        " on 31/31 ",
        "delete ",
        "\u{2019}",
        "a",
        " in 9999 years ",
        "\u{0}",
        " and remind me to ",
        "l\u{f6}sche ",
        " the Acme deal over 5k ",
    ];
    for first in pieces {
        for second in pieces {
            for third in pieces {
                let _ = read(&format!("{first}{second}{third}"));
                let _ = understand_all(
                    &format!("{first} {second} {third} {first}"),
                    &Situation::at("2026-03-02T08:00:00Z".parse().unwrap(), Sofia),
                );
            }
        }
    }
}
