//! Names, addresses, numbers and amounts inside a message.

use super::Message;
use crate::understand::{Field, Filter, Op, ranges};

/// An e-mail address.
pub(super) fn email(raw: &str) -> Option<String> {
    raw.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>' | '(' | ')' | '"'))
        .map(|piece| piece.trim_end_matches(['.', '!', '?', ':']))
        .find(|piece| {
            piece.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty()
                    && domain.contains('.')
                    && !domain.starts_with('.')
                    && !domain.contains('@')
            })
        })
        .map(str::to_owned)
}

/// A telephone number: at least seven digits in one run with the usual signs between them.
pub(super) fn phone(raw: &str) -> Option<String> {
    let mut best: Option<&str> = None;
    let mut begin = None;
    let ends = raw.char_indices().chain(std::iter::once((raw.len(), '\n')));
    for (at, c) in ends {
        let inside = c.is_ascii_digit() || matches!(c, '+' | '-' | ' ' | '(' | ')' | '/' | '.');
        match (inside, begin) {
            (true, None) if c.is_ascii_digit() || c == '+' => begin = Some(at),
            (false, Some(from)) => {
                let run = raw[from..at].trim_end_matches(|c: char| !c.is_ascii_digit());
                let digits = run.bytes().filter(u8::is_ascii_digit).count();
                let dated = run.len() == 10 && run.bytes().filter(|b| *b == b'-').count() == 2;
                if (7..=15).contains(&digits) && !dated {
                    best = best.or(Some(run));
                }
                begin = None;
            }
            _ => {}
        }
    }
    best.map(str::to_owned)
}

/// An amount of money: "$5,000", "12000 EUR", "10k", "1.5 million".
pub(super) fn amount(text: &str) -> Option<String> {
    let at = text.find(|c: char| c.is_ascii_digit())?;
    let number: String = text[at..]
        .chars()
        .take_while(|c| c.is_ascii_digit() || matches!(c, ',' | '.'))
        .collect();
    let rest = text[at + number.len()..].trim_start().to_lowercase();
    let digits = number.trim_end_matches(['.', ',']).replace(',', "");
    let thousand = rest.starts_with('k') && !rest[1..].starts_with(char::is_alphanumeric);
    let million = rest.starts_with("million") || rest.starts_with("mio") || rest == "m";
    let zeros = match (thousand, million) {
        (true, _) => 3,
        (_, true) => 6,
        _ => 0,
    };
    decimal(&digits, zeros)
}

/// The decimal point moved right by `zeros`.
fn decimal(digits: &str, zeros: usize) -> Option<String> {
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.len() > 12 || part.contains('.') {
        return None;
    }
    let mut part = part.to_owned();
    while part.len() < zeros {
        part.push('0');
    }
    let (moved, left) = part.split_at(zeros);
    let whole = format!("{whole}{moved}");
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if left.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{left}")
    })
}

/// The words with capitals from word `at` on, at most four.
pub(super) fn capitals(message: &Message<'_>, at: usize) -> Option<(String, usize)> {
    let mut end = at;
    while end < at + 4
        && message.words.get(end).is_some_and(|word| {
            let written = &message.raw[word.span.clone()];
            let joined = end == at
                || message.raw[message.words[end - 1].span.end..word.span.start]
                    .chars()
                    .all(|c| c == ' ' || c == '&' || c == '-');
            written.starts_with(char::is_uppercase) && joined && !written.contains('@')
        })
    {
        end += 1;
    }
    message.written(at, end).map(|name| (name, end))
}

/// The company after "from", "at", "of" or "company".
pub(super) fn company(message: &Message<'_>) -> Option<String> {
    let texts = message.texts();
    (1..texts.len()).find_map(|at| {
        let leads = matches!(texts[at - 1], "from" | "at" | "company" | "of" | "with");
        let (name, _) = capitals(message, at).filter(|_| leads)?;
        (!crate::understand::dates::says_a_time(&name)).then_some(name)
    })
}

/// Conditions on the amount: "over 10k", "at most 5000".
pub(super) fn amount_filter(message: &Message<'_>) -> Option<Filter> {
    let texts = message.texts();
    let pairs: &[(&str, Op)] = &[
        ("over", Op::AtLeast),
        ("above", Op::AtLeast),
        ("more than", Op::AtLeast),
        ("at least", Op::AtLeast),
        ("bigger than", Op::AtLeast),
        ("larger than", Op::AtLeast),
        ("worth", Op::AtLeast),
        ("under", Op::AtMost),
        ("below", Op::AtMost),
        ("less than", Op::AtMost),
        ("at most", Op::AtMost),
        ("smaller than", Op::AtMost),
    ];
    pairs.iter().find_map(|(phrase, op)| {
        let at = crate::understand::normalise::position(&texts, phrase)?;
        let last = at + phrase.split(' ').count() - 1;
        let rest = &message.raw[message.words.get(last)?.span.end..];
        let value = amount(rest.get(..rest.len().min(24)).unwrap_or(rest))?;
        Some(Filter::new(Field::Amount, *op, value))
    })
}

/// The status that leads and deals have.
pub(super) fn status_filter(texts: &[&str]) -> Option<Filter> {
    const STATUSES: &[&str] = &[
        "new",
        "qualified",
        "unqualified",
        "contacted",
        "converted",
        "lost",
        "won",
        "open",
        "closed",
    ];
    texts
        .iter()
        .skip(1)
        .find(|word| STATUSES.contains(*word))
        .map(|word| Filter::new(Field::Status, Op::Is, *word))
}

/// When records were made.
pub(super) fn created_filter(message: &Message<'_>) -> Option<Filter> {
    let range = ranges::find(message.raw, message.now)?;
    Some(Filter::new(
        Field::Created,
        Op::Between,
        format!("{}/{}", range.from, range.to),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_numbers_and_amounts_are_found_as_written() {
        assert_eq!(
            email("Jane <jane@acme.com>, new").as_deref(),
            Some("jane@acme.com")
        );
        assert_eq!(email("write a@b or @c"), None);
        assert_eq!(
            phone("call +49 (30) 123-4567 now").as_deref(),
            Some("+49 (30) 123-4567")
        );
        assert_eq!(phone("due 2026-03-02 for 12 people"), None);
        for (text, value) in [
            ("$5,000", "5000"),
            ("10k", "10000"),
            ("1.5 million", "1500000"),
            ("12000.50 EUR", "12000.50"),
            ("2.5k", "2500"),
            ("007", "7"),
        ] {
            assert_eq!(amount(text).as_deref(), Some(value), "{text}");
        }
        assert_eq!(amount("none"), None);
    }
}
