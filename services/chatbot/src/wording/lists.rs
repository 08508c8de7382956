//! How lists of leads, contacts and deals are said.

use crate::crm::Lead;
use crate::understand::{Field, Slots};

/// The most records that one answer lists.
pub(crate) const SHOWN: usize = 20;

/// "3 deals", "1 deal".
pub(crate) fn count(n: u64, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}

/// A heading and lines under it, numbered.
pub(crate) fn listed(heading: &str, lines: impl Iterator<Item = String>) -> String {
    let mut text = heading.to_owned();
    for (at, line) in lines.enumerate() {
        text.push_str(&format!("\n{}. {line}", at + 1));
    }
    text
}

fn state(value: &str) -> String {
    match value {
        "all" => String::new(),
        "done" => "completed ".to_owned(),
        other => format!("{other} "),
    }
}

/// The conditions of a question for leads, as words after "leads".
pub(crate) fn conditions(slots: &Slots) -> String {
    let mut text = String::new();
    if let Some(stage) = &slots.stage {
        text.push_str(&format!(" that are {stage}"));
    }
    for filter in &slots.filters {
        let value = filter.value.replace('/', " to ");
        match filter.field {
            Field::Status | Field::Stage if value != "all" => {
                text.push_str(&format!(" that are {value}"));
            }
            Field::Company => text.push_str(&format!(" at {value}")),
            Field::Source => text.push_str(&format!(" from {value}")),
            Field::Created => text.push_str(&format!(" created {value}")),
            Field::Assignee if value == "me" => text.push_str(" that are yours"),
            Field::Assignee => text.push_str(&format!(" of {value}")),
            _ => {}
        }
    }
    if let Some(range) = slots.range {
        text.push_str(&format!(" created {} to {}", range.from, range.to));
    }
    text
}

/// The kind of deals that a question is about, as words before "deals".
pub(crate) fn kind_of(slots: &Slots) -> String {
    let status = slots.filters.iter().find(|one| one.field == Field::Status);
    status.map_or_else(String::new, |filter| state(&filter.value))
}

/// A lead or a contact on one line.
pub(crate) fn person(lead: &Lead) -> String {
    let mut text = lead.name();
    if let Some(company) = lead
        .company_name
        .as_ref()
        .filter(|company| **company != text)
    {
        text.push_str(&format!(" ({company})"));
    }
    if let Some(status) = &lead.status {
        text.push_str(&format!(", {status}"));
    }
    if let Some(score) = lead.score {
        let grade = lead.grade.as_ref().map(|grade| format!(" ({grade})"));
        text.push_str(&format!(", score {score}{}", grade.unwrap_or_default()));
    }
    for detail in [&lead.email, &lead.phone].into_iter().flatten() {
        text.push_str(&format!(", {detail}"));
    }
    text
}
