//! Deals and the pipeline.

use super::parts::{self, capitals};
use super::{Found, Message, SHOW, counts};
use crate::understand::lexicon::any;
use crate::understand::normalise::{contains, position};
use crate::understand::{Field, Filter, Intent, Op, Slots};

const DEALS: &[&str] = &["deal", "deals", "opportunity", "opportunities"];

/// Moving, adding up and finding deals.
pub(super) fn read(message: &Message<'_>, command: &[&str], start: usize) -> Option<Found> {
    let pipeline = any(command, &["pipeline", "forecast"]) && !any(command, &["weather"]);
    let named = any(command, DEALS);
    if !named && !pipeline {
        return None;
    }
    let sums = [
        "total", "how much", "sum", "worth", "value", "combined", "average",
    ]
    .iter()
    .any(|phrase| contains(command, phrase));
    if named && let Some(moved) = moved(message, command, start) {
        return Some(moved);
    }
    let slots = Slots {
        filters: filters(message, command),
        ..Slots::default()
    };
    if sums {
        return Some(Found::new(Intent::DealSum, slots, 0.9));
    }
    let asks = SHOW.contains(&command[0])
        || counts(command)
        || DEALS.contains(&command[0]) && command.len() <= 3;
    if !named || !asks {
        return None;
    }
    let noun = command.iter().position(|word| DEALS.contains(word))?;
    let mention = capitals(message, start + noun + 1).map(|(name, _)| name);
    let before = noun
        .checked_sub(1)
        .and_then(|at| capitals(message, start + at))
        .map(|(name, _)| name)
        .filter(|_| noun > 1);
    Some(Found::new(
        Intent::DealFind,
        Slots {
            mention: mention.or(before),
            ..slots
        },
        0.9,
    ))
}

fn filters(message: &Message<'_>, command: &[&str]) -> Vec<Filter> {
    [
        parts::status_filter(command),
        stage(message, command),
        parts::amount_filter(message),
        parts::company(message).map(|name| Filter::new(Field::Company, Op::Is, name)),
        parts::created_filter(message),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// "in negotiation", "in the proposal stage".
fn stage(message: &Message<'_>, command: &[&str]) -> Option<Filter> {
    let at = position(command, "in")?;
    let from = at + 1 + usize::from(matches!(command.get(at + 1), Some(&("the" | "stage"))));
    let word = command.get(from)?;
    let other = crate::understand::dates::says_a_time(word)
        || crate::understand::recurrence::month_of(word).is_some()
        || matches!(
            *word,
            "pipeline" | "my" | "our" | "total" | "this" | "last" | "next" | "all" | "crm"
        );
    let offset = message.words.len() - command.len();
    let name = message.written(offset + from, offset + from + 1)?;
    (!other).then(|| Filter::new(Field::Stage, Op::Is, name))
}

/// "move the Acme deal to negotiation", "mark deal Acme as won", "we lost the Acme deal".
fn moved(message: &Message<'_>, command: &[&str], start: usize) -> Option<Found> {
    let texts = message.texts();
    let noun = command.iter().position(|word| DEALS.contains(word))?;
    let verb = matches!(
        command[0],
        "move"
            | "mark"
            | "set"
            | "change"
            | "put"
            | "update"
            | "push"
            | "advance"
            | "close"
            | "drag"
    );
    let told = ["we won", "we lost", "i won", "i lost"]
        .iter()
        .find(|phrase| contains(&texts, phrase));
    if let Some(told) = told {
        let at = position(command, told.split(' ').next_back()?)? + 1;
        let slots = Slots {
            mention: named(message, command, start, at, noun, command.len()),
            stage: told.split(' ').next_back().map(str::to_owned),
            ..Slots::default()
        };
        return Some(Found::new(Intent::DealMove, slots, 0.8));
    }
    if !verb {
        return None;
    }
    let joint = ["to", "into", "as"]
        .iter()
        .filter_map(|word| command.iter().rposition(|other| other == word))
        .max()
        .filter(|at| *at > noun || *at > 1);
    let stage = joint.and_then(|at| {
        let skip = usize::from(command.get(at + 1) == Some(&"the"));
        message.written(start + at + 1 + skip, message.words.len())
    });
    let end = joint.unwrap_or(command.len());
    let slots = Slots {
        mention: named(message, command, start, 1, noun, end),
        stage: stage.map(|stage| stage.trim_end_matches(" stage").to_owned()),
        ..Slots::default()
    };
    Some(Found::new(Intent::DealMove, slots, 0.9))
}

/// The name before or after the word "deal".
fn named(
    message: &Message<'_>,
    command: &[&str],
    start: usize,
    from: usize,
    noun: usize,
    end: usize,
) -> Option<String> {
    let skip = |at: usize| {
        command[at.min(command.len())..]
            .iter()
            .take_while(|word| {
                matches!(
                    **word,
                    "the"
                        | "my"
                        | "our"
                        | "stage"
                        | "of"
                        | "status"
                        | "with"
                        | "for"
                        | "called"
                        | "named"
                )
            })
            .count()
    };
    let before = from + skip(from);
    let after = noun + 1 + skip(noun + 1);
    message
        .written(start + before, start + noun)
        .filter(|_| before < noun)
        .or_else(|| {
            message
                .written(start + after, start + end)
                .filter(|_| after < end)
        })
}
