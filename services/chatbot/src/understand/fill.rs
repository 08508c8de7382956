//! The parts of a message, taken from where a rule found them.

use std::ops::Range as Span;

use chrono::{NaiveDateTime, TimeDelta};
use chrono_tz::Tz;

use super::intent::{Reading, Second, Shown};
use super::{Field, Filter, Intent, Op, Slots, dates, instant, title};

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
        filters: filters(reading.shown, local),
        all: reading.all,
        ..Slots::default()
    };
    match reading.intent {
        Intent::TodoCreate => {
            let mention = dates::find(message, local);
            slots.title = title::of_new(message, reading.argument.clone(), &cuts(mention.as_ref()));
            set_due(&mut slots, mention.as_ref(), zone);
        }
        Intent::TodoDelete | Intent::TodoComplete => {
            let mention = dates::find(message, local);
            slots.mention =
                title::of_existing(message, reading.argument.clone(), &cuts(mention.as_ref()));
        }
        Intent::TodoUpdate => update(&mut slots, message, reading, local, zone),
        Intent::TodoList => {
            let mention = dates::find(message, local);
            slots.due_date = mention.map(|mention| mention.moment.at.date());
            if let (Some(date), None) = (slots.due_date, reading.shown) {
                slots
                    .filters
                    .push(Filter::new(Field::Due, Op::Is, date.to_string()));
            }
        }
        _ => {}
    }
    slots
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
        None => {}
    }
}

fn filters(shown: Option<Shown>, local: NaiveDateTime) -> Vec<Filter> {
    let due = |days| {
        let day = local.date().checked_add_signed(TimeDelta::days(days));
        day.map(|day| Filter::new(Field::Due, Op::Is, day.to_string()))
    };
    let status = |name: &str| Some(Filter::new(Field::Status, Op::Is, name));
    let filter = match shown {
        Some(Shown::Today) => due(0),
        Some(Shown::Tomorrow) => due(1),
        Some(Shown::Overdue) => status("overdue"),
        Some(Shown::Done) => status("completed"),
        Some(Shown::All) => status("all"),
        None => None,
    };
    filter.into_iter().collect()
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
        slots.due_at = Some(instant(mention.moment.at, zone));
    } else {
        slots.due_date = Some(mention.moment.at.date());
    }
}
