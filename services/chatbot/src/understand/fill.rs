//! The parts of a message, taken from where a rule found them.

use std::ops::Range as Span;

use chrono::{NaiveDateTime, NaiveTime};
use chrono_tz::Tz;

use super::intent::{Reading, Second};
use super::{
    Field, Intent, Op, Slots, dates, extras, filters, instant, normalise, recurrence, title,
};

/// The intent that clients see: deleting everything is another one than deleting one.
pub(super) const fn intent(reading: &Reading) -> Intent {
    match reading.intent {
        Intent::TodoDelete if reading.all => Intent::TodoBulkDelete,
        other => other,
    }
}

/// Fills the slots.
pub(super) fn slots(message: &str, reading: &Reading, local: NaiveDateTime, zone: Tz) -> Slots {
    let mut slots = Slots {
        all: reading.all,
        ..Slots::default()
    };
    match reading.intent {
        Intent::TodoCreate => create(&mut slots, message, reading, local, zone),
        Intent::TodoDelete | Intent::TodoComplete if reading.all => {
            slots.filters = filters::of_todos(message, reading.shown, local);
        }
        Intent::TodoDelete | Intent::TodoComplete | Intent::TodoReopen => {
            let mention = dates::find(message, local);
            slots.mention =
                title::of_existing(message, reading.argument.clone(), &cuts(mention.as_ref()));
        }
        Intent::TodoUpdate => update(&mut slots, message, reading, local, zone),
        Intent::TodoList => {
            slots.filters = filters::of_todos(message, reading.shown, local);
            let on = slots
                .filters
                .iter()
                .find(|filter| filter.field == Field::Due && filter.op == Op::Is);
            slots.due_date = on.and_then(|filter| filter.value.parse().ok());
        }
        _ => {}
    }
    slots
}

fn create(slots: &mut Slots, message: &str, reading: &Reading, local: NaiveDateTime, zone: Tz) {
    let recurrence = recurrence::find(message);
    let priority = extras::priority(message);
    let assignee = extras::assignee(message);
    let said = [
        recurrence.as_ref().map(|found| found.span.clone()),
        priority.as_ref().map(|found| found.span.clone()),
        assignee.as_ref().map(|found| found.span.clone()),
    ];
    let mut spans: Vec<Span<usize>> = said.into_iter().flatten().collect();
    let first = match recurrence {
        None => date_first(message, &reading.argument, local),
        Some(_) => None,
    };
    let mention = match &first {
        Some((mention, _)) => Some(mention.clone()),
        None => moment(&blanked(message, &spans), recurrence.is_some(), local),
    };
    let argument = match &first {
        Some((_, matter)) => matter.clone(),
        None => {
            spans.extend(cuts(mention.as_ref()));
            reading.argument.clone()
        }
    };
    spans.sort_by_key(|span| span.start);
    slots.title = title::of_new(message, argument, &spans);
    slots.priority = priority.map(|found| found.value);
    slots.assignee = assignee.map(|found| found.value);
    set_due(slots, mention.as_ref(), zone);
    if let Some(found) = recurrence {
        slots.recurrence = Some(found.rule.text());
        begin(slots, &found.rule, mention.as_ref(), local, zone);
    }
}

/// "remind me on Friday of the vet appointment next Saturday": the date that comes before what is to be done is when to be
/// reminded, and a later one belongs to the title. The date, and the bytes after it.
fn date_first(
    message: &str,
    argument: &Span<usize>,
    local: NaiveDateTime,
) -> Option<(dates::Mention, Span<usize>)> {
    const LEADS: &[&str] = &["a", "an", "the", "reminder", "me", "for"];
    let words = normalise::words(&message[argument.clone()]);
    let joint = words
        .iter()
        .position(|word| matches!(word.text.as_str(), "to" | "that" | "about" | "of"))?;
    let begin = words
        .iter()
        .position(|word| !LEADS.contains(&word.text.as_str()))?;
    let next = words.get(joint + 1)?;
    let counts = next.text.starts_with(|c: char| c.is_ascii_digit());
    if begin >= joint || counts {
        return None;
    }
    let date = argument.start + words[begin].span.start..argument.start + words[joint - 1].span.end;
    let matter = argument.start + next.span.start..argument.end;
    // A time alone goes with the day before it.
    if !dates::find(&message[matter.clone()], local)?.moment.has_day {
        return None;
    }
    let moment = dates::parse(&message[date.clone()], local)?;
    let mention = dates::Mention {
        moment,
        spans: vec![date],
        part_of_title: false,
    };
    Some((mention, matter))
}

/// Another priority, assignee or recurrence for an existing one.
fn extra(slots: &mut Slots, message: &str, reading: &Reading, local: NaiveDateTime, zone: Tz) {
    slots.mention = title::of_existing(message, reading.argument.clone(), &[]);
    slots.priority = extras::priority(message).map(|found| found.value);
    slots.assignee = extras::assignee(message).map(|found| found.value);
    if let Some(found) = recurrence::find(message) {
        let text = blanked(message, std::slice::from_ref(&found.span));
        let mention = moment(&text, true, local);
        set_due(slots, mention.as_ref(), zone);
        slots.recurrence = Some(found.rule.text());
        begin(slots, &found.rule, mention.as_ref(), local, zone);
    }
}

/// The moment that a message names. "At 9" of what comes again is nine in the morning, whatever the time is now.
fn moment(text: &str, recurs: bool, local: NaiveDateTime) -> Option<dates::Mention> {
    let found = dates::find(text, local)?;
    if !recurs || found.moment.has_day {
        return Some(found);
    }
    dates::find(text, local.date().and_time(NaiveTime::MIN))
}

/// What comes again is due first on the day that the rule and the time give, unless the message names a day.
fn begin(
    slots: &mut Slots,
    rule: &recurrence::Rule,
    mention: Option<&dates::Mention>,
    local: NaiveDateTime,
    zone: Tz,
) {
    let moment = mention.map(|mention| mention.moment);
    if moment.is_some_and(|moment| moment.has_day) {
        return;
    }
    let clock = moment
        .filter(|moment| moment.has_clock)
        .map(|moment| moment.at.time());
    let Some(day) = rule.first(local, clock) else {
        return;
    };
    (slots.due_at, slots.due_date) = match clock {
        Some(clock) => (Some(instant(day.and_time(clock), zone)), None),
        None => (None, Some(day)),
    };
}

/// The message with these bytes made spaces, so that "monday" in "every monday" is not read as a date too.
fn blanked(message: &str, spans: &[Span<usize>]) -> String {
    let mut text = String::with_capacity(message.len());
    for (at, c) in message.char_indices() {
        if spans.iter().any(|span| span.contains(&at)) {
            text.extend(std::iter::repeat_n(' ', c.len_utf8()));
        } else {
            text.push(c);
        }
    }
    text
}

fn update(slots: &mut Slots, message: &str, reading: &Reading, local: NaiveDateTime, zone: Tz) {
    match &reading.second {
        Some(Second::Title(new)) => {
            slots.mention = title::of_existing(message, reading.argument.clone(), &[]);
            slots.new_title = title::of_new(message, new.clone(), &[]);
        }
        Some(Second::Time(when)) => {
            let mention =
                dates::find(&message[when.clone()], local).map(|found| shifted(found, when.start));
            slots.mention =
                title::of_existing(message, reading.argument.clone(), &cuts(mention.as_ref()));
            set_due(slots, mention.as_ref(), zone);
        }
        Some(Second::Extras) => extra(slots, message, reading, local, zone),
        None => {}
    }
}

fn shifted(mention: dates::Mention, by: usize) -> dates::Mention {
    let spans = mention
        .spans
        .into_iter()
        .map(|span| span.start + by..span.end + by)
        .collect();
    dates::Mention { spans, ..mention }
}

/// The bytes that the title loses: the date, unless it says how often.
fn cuts(mention: Option<&dates::Mention>) -> Vec<Span<usize>> {
    mention
        .filter(|mention| !mention.part_of_title)
        .map(|mention| mention.spans.clone())
        .unwrap_or_default()
}

fn set_due(slots: &mut Slots, mention: Option<&dates::Mention>, zone: Tz) {
    let Some(mention) = mention else { return };
    if mention.moment.has_clock {
        slots.due_at = Some(mention.moment.instant(zone));
    } else {
        slots.due_date = Some(mention.moment.at.date());
    }
}
