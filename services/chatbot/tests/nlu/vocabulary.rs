//! The rest of the vocabulary on Monday 2026-03-02 at 10:00 in Sofia: changes, leads, deals, contacts, numbers, agents.

use chatbot::understand::{Engine, Intent, Situation, Understood, understand};
use chrono_tz::Europe::Sofia;
use serde_json::{Value, json};

fn read(message: &str) -> Understood {
    understand(
        message,
        &Situation::at("2026-03-02T08:00:00Z".parse().unwrap(), Sofia),
    )
}

/// The slots as clients see them.
fn slots(message: &str, intent: Intent) -> Value {
    let understood = read(message);
    assert_eq!(understood.intent, intent, "{message}");
    assert_eq!(understood.engine, Engine::Rules, "{message}");
    serde_json::to_value(understood.slots).unwrap()
}

fn all_are(intent: Intent, cases: &[(&str, Value)]) {
    for (message, expected) in cases {
        assert_eq!(slots(message, intent), *expected, "{message}");
    }
}

#[test]
fn new_to_dos_have_recurrence_priority_and_assignee() {
    all_are(
        Intent::TodoCreate,
        &[
            (
                "remind me to water the plants every monday at 9",
                json!({ "title": "water the plants", "recurrence": "FREQ=WEEKLY;BYDAY=MO", "due_at": "2026-03-09T07:00:00Z" }),
            ),
            (
                "remind me to stretch daily at noon",
                json!({ "title": "stretch", "recurrence": "FREQ=DAILY", "due_at": "2026-03-02T10:00:00Z" }),
            ),
            (
                "add a task to pay rent monthly on the 1st",
                json!({ "title": "pay rent", "recurrence": "FREQ=MONTHLY;BYMONTHDAY=1", "due_date": "2026-04-01" }),
            ),
            (
                "add clean the filter every two weeks starting on friday",
                json!({ "title": "clean the filter", "recurrence": "FREQ=WEEKLY;INTERVAL=2", "due_date": "2026-03-06" }),
            ),
            (
                "add a high priority task to call Ada tomorrow",
                json!({ "title": "call Ada", "priority": "high", "due_date": "2026-03-03" }),
            ),
            (
                "add an urgent task: send the offer",
                json!({ "title": "send the offer", "priority": "urgent" }),
            ),
            (
                "add tidy the desk with low prio",
                json!({ "title": "tidy the desk", "priority": "low" }),
            ),
            (
                "create a task for Ada to review the contract by friday",
                json!({ "title": "review the contract", "assignee": "Ada", "due_date": "2026-03-06" }),
            ),
            (
                "add a todo: send the offer, assign to Bob",
                json!({ "title": "send the offer", "assignee": "Bob" }),
            ),
            (
                "add buy flowers for Ada",
                json!({ "title": "buy flowers for Ada" }),
            ),
        ],
    );
}

#[test]
fn one_thing_of_a_to_do_is_changed() {
    all_are(
        Intent::TodoUpdate,
        &[
            (
                "set the priority of call Ada to high",
                json!({ "mention": "call Ada", "priority": "high" }),
            ),
            (
                "make the tax report urgent",
                json!({ "mention": "tax report", "priority": "urgent" }),
            ),
            (
                "mark send the offer as high priority",
                json!({ "mention": "send the offer", "priority": "high" }),
            ),
            (
                "assign the tax report to Bob",
                json!({ "mention": "tax report", "assignee": "Bob" }),
            ),
            (
                "make call Ada repeat every monday",
                json!({ "mention": "call Ada", "recurrence": "FREQ=WEEKLY;BYDAY=MO", "due_date": "2026-03-09" }),
            ),
        ],
    );
    all_are(
        Intent::TodoReopen,
        &[
            ("reopen call Ada", json!({ "mention": "call Ada" })),
            (
                "mark the tax report as not done",
                json!({ "mention": "tax report" }),
            ),
            ("uncheck buy milk", json!({ "mention": "buy milk" })),
        ],
    );
}

#[test]
fn several_are_chosen_by_conditions() {
    let filter =
        |field: &str, op: &str, value: &str| json!({ "field": field, "op": op, "value": value });
    for (message, intent, expected) in [
        (
            "what is due this week?",
            Intent::TodoList,
            vec![filter("due", "between", "2026-03-02/2026-03-08")],
        ),
        (
            "show my high priority tasks",
            Intent::TodoList,
            vec![filter("priority", "is", "high")],
        ),
        (
            "show tasks assigned to Ada",
            Intent::TodoList,
            vec![filter("assignee", "is", "Ada")],
        ),
        (
            "show Ada's tasks",
            Intent::TodoList,
            vec![filter("assignee", "is", "Ada")],
        ),
        (
            "show my overdue urgent tasks",
            Intent::TodoList,
            vec![
                filter("status", "is", "overdue"),
                filter("priority", "is", "urgent"),
            ],
        ),
        (
            "delete all completed tasks",
            Intent::TodoBulkDelete,
            vec![filter("status", "is", "completed")],
        ),
        (
            "delete all my overdue to-dos",
            Intent::TodoBulkDelete,
            vec![filter("status", "is", "overdue")],
        ),
    ] {
        let found = slots(message, intent);
        assert_eq!(found["filters"], Value::Array(expected), "{message}");
    }
}

#[test]
fn leads_deals_and_contacts_are_records() {
    all_are(
        Intent::LeadCreate,
        &[(
            "add a lead Jane Doe from Acme, jane@acme.com, +49 30 1234567",
            json!({ "name": "Jane Doe", "email": "jane@acme.com", "phone": "+49 30 1234567", "company": "Acme" }),
        )],
    );
    all_are(
        Intent::LeadCount,
        &[("how many leads do I have?", json!({}))],
    );
    assert_eq!(
        read("how many new leads did we get this week?").intent,
        Intent::LeadCount
    );
    assert_eq!(read("show me leads from Acme").intent, Intent::LeadFind);
    assert_eq!(read("who should I call today?").intent, Intent::LeadFind);
    all_are(
        Intent::LeadUpdate,
        &[(
            "move lead Jane Doe to qualified",
            json!({ "mention": "Jane Doe", "stage": "qualified" }),
        )],
    );
    all_are(
        Intent::DealMove,
        &[
            (
                "move the Acme deal to negotiation",
                json!({ "mention": "Acme", "stage": "negotiation" }),
            ),
            (
                "mark the deal Forty Engines as won",
                json!({ "mention": "Forty Engines", "stage": "won" }),
            ),
            (
                "we lost the Acme deal",
                json!({ "mention": "Acme", "stage": "lost" }),
            ),
        ],
    );
    all_are(
        Intent::DealFind,
        &[(
            "show me deals over 10k in negotiation",
            json!({ "filters": [
                { "field": "stage", "op": "is", "value": "negotiation" },
                { "field": "amount", "op": "at_least", "value": "10000" },
            ] }),
        )],
    );
    assert_eq!(
        read("what is the total value of open deals?").intent,
        Intent::DealSum
    );
    assert_eq!(read("how much is in the pipeline?").intent, Intent::DealSum);
    all_are(
        Intent::ContactFind,
        &[(
            "find contact Ada Lovelace",
            json!({ "mention": "Ada Lovelace" }),
        )],
    );
}

#[test]
fn numbers_and_agents_are_named() {
    all_are(
        Intent::MetricsQuery,
        &[
            (
                "how many visitors did we have last week?",
                json!({ "metric": "visitors", "range": { "from": "2026-02-23", "to": "2026-03-01" } }),
            ),
            (
                "what was our revenue last month",
                json!({ "metric": "revenue", "range": { "from": "2026-02-01", "to": "2026-02-28" } }),
            ),
            (
                "show the conversion rate",
                json!({ "metric": "conversion_rate" }),
            ),
        ],
    );
    all_are(
        Intent::AgentRun,
        &[
            (
                "run the lead qualifier agent",
                json!({ "agent": "lead qualifier" }),
            ),
            (
                "ask the SEO adviser to check our website",
                json!({ "agent": "SEO adviser", "title": "check our website" }),
            ),
        ],
    );
}

#[test]
fn words_about_records_in_to_dos_stay_to_dos() {
    for message in [
        "remind me to call the new lead",
        "add a task: move the Acme deal to won",
        "remind me to check our revenue tomorrow",
        "add run the report to my list",
    ] {
        assert_eq!(read(message).intent, Intent::TodoCreate, "{message}");
    }
    for message in [
        "run a bath",
        "start the car",
        "tell my assistant a joke",
        "how is the traffic",
    ] {
        assert_eq!(read(message).intent, Intent::None, "{message}");
    }
}
