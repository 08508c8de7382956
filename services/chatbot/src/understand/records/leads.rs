//! Leads and contacts.

use super::parts::{self, capitals};
use super::{Found, Message, SHOW, counts};
use crate::understand::lexicon::any;
use crate::understand::normalise::{contains, position};
use crate::understand::{Field, Filter, Intent, Op, Slots};

const LEADS: &[&str] = &["lead", "leads", "prospect", "prospects"];

/// "add a lead Jane Doe from Acme, jane@acme.com".
pub(super) fn create(message: &Message<'_>, command: &[&str], start: usize) -> Option<Found> {
    let verb = matches!(
        command[0],
        "add" | "create" | "new" | "make" | "register" | "save" | "enter" | "log" | "capture"
    );
    let noun = command
        .iter()
        .take(4)
        .position(|word| matches!(*word, "lead" | "prospect"))?;
    let between = &command[1.min(noun)..noun];
    let plain = between
        .iter()
        .all(|word| matches!(*word, "a" | "an" | "the" | "new" | "another" | "me"));
    if !verb || !plain || command.get(noun + 1) == Some(&"to") {
        return None;
    }
    let mut at = start + noun + 1;
    let texts = message.texts();
    while texts
        .get(at)
        .is_some_and(|word| matches!(*word, "for" | "named" | "called" | "name" | "is"))
    {
        at += 1;
    }
    let slots = Slots {
        name: capitals(message, at).map(|(name, _)| name),
        email: parts::email(message.raw),
        phone: parts::phone(message.raw),
        company: parts::company(message),
        ..Slots::default()
    };
    Some(Found::new(Intent::LeadCreate, slots, 0.9))
}

/// Counting, changing and finding leads.
pub(super) fn read(message: &Message<'_>, command: &[&str], start: usize) -> Option<Found> {
    if contains(command, "who should i call") || contains(command, "who do i call") {
        return Some(Found::new(Intent::LeadFind, Slots::default(), 0.85));
    }
    if !any(command, LEADS) {
        return None;
    }
    if counts(command) || command[0] == "total" {
        let slots = Slots {
            filters: filters(message, command),
            ..Slots::default()
        };
        return Some(Found::new(Intent::LeadCount, slots, 0.95));
    }
    update(message, command, start).or_else(|| {
        let asks = SHOW.contains(&command[0]) || LEADS.contains(&command[0]) && command.len() <= 3;
        asks.then(|| find(message, command, start))
    })
}

fn filters(message: &Message<'_>, command: &[&str]) -> Vec<Filter> {
    let company = parts::company(message).map(|name| Filter::new(Field::Company, Op::Is, name));
    [
        parts::status_filter(command),
        company,
        parts::created_filter(message),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn find(message: &Message<'_>, command: &[&str], start: usize) -> Found {
    let noun = command
        .iter()
        .position(|word| LEADS.contains(word))
        .unwrap_or(0);
    let skip = usize::from(matches!(command.get(noun + 1), Some(&("named" | "called"))));
    let slots = Slots {
        mention: capitals(message, start + noun + 1 + skip).map(|(name, _)| name),
        filters: filters(message, command),
        ..Slots::default()
    };
    Found::new(Intent::LeadFind, slots, 0.9)
}

/// "move lead Jane Doe to qualified", "mark the lead Jane Doe as contacted", "set the status of lead Jane to lost".
fn update(message: &Message<'_>, command: &[&str], start: usize) -> Option<Found> {
    let changes = matches!(
        command[0],
        "move" | "mark" | "set" | "change" | "update" | "convert" | "qualify"
    );
    if !changes {
        return None;
    }
    let noun = command.iter().position(|word| LEADS.contains(word))?;
    let joint = position(&command[noun..], "to")
        .or_else(|| position(&command[noun..], "as"))
        .map(|at| noun + at);
    let mention = capitals(message, start + noun + 1)
        .map(|(name, _)| name)
        .or_else(|| {
            let end = joint.unwrap_or(command.len());
            message.written(start + noun + 1, start + end)
        });
    let slots = Slots {
        mention,
        stage: joint.and_then(|at| message.written(start + at + 1, message.words.len())),
        email: parts::email(message.raw),
        phone: parts::phone(message.raw),
        ..Slots::default()
    };
    Some(Found::new(Intent::LeadUpdate, slots, 0.85))
}

/// "find contact Ada", "what is Ada Lovelace's email?", "contacts at Acme".
pub(super) fn contact(message: &Message<'_>, command: &[&str], start: usize) -> Option<Found> {
    let noun = command
        .iter()
        .position(|word| matches!(*word, "contact" | "contacts" | "customer" | "customers"));
    let asks = SHOW.contains(&command[0]) || noun == Some(0);
    if let Some(noun) = noun.filter(|_| asks && !counts(command)) {
        let skip = command[noun + 1..]
            .iter()
            .take_while(|word| {
                matches!(
                    **word,
                    "details" | "info" | "information" | "of" | "for" | "named" | "called" | "data"
                )
            })
            .count();
        let mention = capitals(message, start + noun + 1 + skip).map(|(name, _)| name);
        let company = parts::company(message).filter(|name| mention.as_ref() != Some(name));
        let slots = Slots {
            mention,
            filters: company
                .map(|name| Filter::new(Field::Company, Op::Is, name))
                .into_iter()
                .collect(),
            ..Slots::default()
        };
        return Some(Found::new(Intent::ContactFind, slots, 0.85));
    }
    details(message, command, start)
}

/// "what is Ada Lovelace's phone number?", "Ada's email".
fn details(message: &Message<'_>, command: &[&str], start: usize) -> Option<Found> {
    let last = *command.last()?;
    let wanted = matches!(
        last,
        "email" | "phone" | "number" | "address" | "mail" | "mobile"
    ) && (SHOW.contains(&command[0]) || command.len() <= 5);
    if !wanted {
        return None;
    }
    let at = (start..message.words.len()).find(|at| {
        *at > start
            && capitals(message, *at)
                .is_some_and(|(name, _)| name.ends_with("'s") || name.contains('\u{2019}'))
            || *at == start && capitals(message, *at).is_some_and(|(name, _)| name.ends_with("'s"))
    })?;
    let (name, _) = capitals(message, at)?;
    let name = name
        .trim_end_matches("'s")
        .trim_end_matches("\u{2019}s")
        .to_owned();
    if matches!(name.as_str(), "What" | "Who" | "Where" | "That" | "It") {
        return None;
    }
    let slots = Slots {
        mention: Some(name),
        ..Slots::default()
    };
    Some(Found::new(Intent::ContactFind, slots, 0.8))
}
