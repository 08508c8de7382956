//! Reading a message with the lexicon of its language.

use chrono::NaiveDateTime;
use chrono_tz::Tz;

use super::lexicon::{Lexicon, Pattern};
use super::{Folded, fold, folded, moments, places};
use crate::understand::{Engine, Field, Filter, Intent, Language, Op, Slots, Understood};

/// What a message in a language other than English asks for.
pub(in crate::understand) fn read(
    message: &str,
    language: Language,
    local: NaiveDateTime,
    zone: Tz,
) -> Option<Understood> {
    let lexicon = Lexicon::of(language)?;
    let words = folded(message);
    let reader = Reader {
        message,
        words: &words,
        lexicon,
        local,
        zone,
    };
    let (intent, confidence, slots) =
        reader
            .read()
            .unwrap_or((Intent::None, 0.0, Slots::default()));
    Some(Understood {
        intent,
        slots,
        confidence,
        engine: Engine::Rules,
        language,
    })
}

struct Reader<'a> {
    message: &'a str,
    words: &'a [Folded],
    lexicon: &'a Lexicon,
    local: NaiveDateTime,
    zone: Tz,
}

/// What was found: the argument's words and how long the pattern was.
struct Match<'a> {
    pattern: &'a Pattern,
    from: usize,
    to: usize,
}

impl Reader<'_> {
    fn texts(&self) -> Vec<&str> {
        self.words.iter().map(|word| word.text.as_str()).collect()
    }

    fn read(&self) -> Option<(Intent, f32, Slots)> {
        let texts = self.texts();
        let mut start = 0;
        loop {
            let length = self.lexicon.begins("openers", &texts[start..]);
            if length == 0 || start + length >= texts.len() {
                break;
            }
            start += length;
        }
        let mut end = texts.len();
        while let cut @ 1.. = self.lexicon.ends("closers", &texts[start..end]) {
            if cut >= end - start {
                break;
            }
            end -= cut;
        }
        let named = |section: &str| texts.iter().any(|word| self.lexicon.has(section, word));
        let own = named("own") || named("lists");
        let foreign = named("foreign") && !own;
        let best = |start: usize| {
            self.lexicon
                .patterns
                .iter()
                .filter(|pattern| own || !pattern.needs_own)
                // What is to be remembered may be about the weather, a question about it is not for us.
                .filter(|pattern| !foreign || pattern.intent == Intent::TodoCreate)
                .filter_map(|pattern| fits(pattern, &texts, start, end))
                .max_by_key(|found| found.pattern.head.len() + found.pattern.tail.len())
        };
        let found = best(start).or_else(|| best(self.after_the_date(start)?));
        match found {
            Some(found) => self.filled(&found, own),
            // "Milch auf die Liste" says where it goes and no more.
            None if named("lists") && self.stands_on_a_list(start, end) => {
                let slots = self.created(start, end)?;
                Some((Intent::TodoCreate, 0.75, slots))
            }
            None => None,
        }
    }

    /// "ma\u{f1}ana a las 7, recu\u{e9}rdame ...": the first word after the date that opens the message.
    fn after_the_date(&self, start: usize) -> Option<usize> {
        let found = moments::find(self.message, self.words, self.lexicon, self.local)?;
        let span = found.spans.first()?;
        let opens = span.start == self.words.get(start)?.span.start;
        let next = self
            .words
            .iter()
            .position(|word| word.span.start >= span.end)?;
        opens.then_some(next)
    }

    fn stands_on_a_list(&self, start: usize, end: usize) -> bool {
        let (from, to) = places::without(self.message, self.words, self.lexicon, start, end);
        let question = self.lexicon.begins("questions", &self.texts()[start..]) > 0;
        !question && to < end && from < to
    }

    fn filled(&self, found: &Match<'_>, own: bool) -> Option<(Intent, f32, Slots)> {
        let texts = self.texts();
        let all = (found.from..found.to).any(|at| self.lexicon.has("all", texts[at]));
        let sure = if own || found.pattern.intent == Intent::TodoCreate {
            0.9
        } else {
            0.75
        };
        let slots = match found.pattern.intent {
            Intent::TodoCreate => self.created(found.from, found.to)?,
            Intent::TodoList => self.listed(),
            Intent::TodoDelete if all => {
                let slots = Slots {
                    all,
                    ..self.listed()
                };
                return Some((Intent::TodoBulkDelete, sure, slots));
            }
            Intent::TodoComplete if all => Slots {
                all,
                ..self.listed()
            },
            Intent::TodoComplete | Intent::TodoReopen | Intent::TodoDelete => Slots {
                mention: self.title(found.from, found.to).0,
                ..Slots::default()
            },
            Intent::TodoUpdate => self.updated(found.from, found.to),
            _ => Slots::default(),
        };
        Some((found.pattern.intent, sure, slots))
    }

    /// A title without the date, the list and the words that only lead to it; and the moment.
    fn title(&self, from: usize, to: usize) -> (Option<String>, Option<moments::Moment>) {
        let moment = moments::find(self.message, self.words, self.lexicon, self.local);
        if let Some(title) = crate::understand::title::quoted(self.message) {
            return (Some(title.to_owned()), moment);
        }
        let (from, to) = places::without(self.message, self.words, self.lexicon, from, to);
        let said = |at: usize| {
            moment.as_ref().is_some_and(|moment| {
                moment
                    .spans
                    .iter()
                    .any(|span| span.contains(&self.words[at].span.start))
            })
        };
        let kept: Vec<usize> = (from..to).filter(|at| !said(*at)).collect();
        let texts: Vec<&str> = kept
            .iter()
            .map(|at| self.words[*at].text.as_str())
            .collect();
        let (mut first, mut last) = (0, texts.len());
        while let cut @ 1.. = self.lexicon.begins("leads", &texts[first..last]) {
            if cut >= last - first {
                break;
            }
            first += cut;
        }
        while let cut @ 1.. = self.lexicon.ends("tails", &texts[first..last]) {
            if cut >= last - first {
                break;
            }
            last -= cut;
        }
        let title = self
            .joined(&kept[first..last])
            .map(|title| self.unelided(title));
        let only = texts[first..last]
            .iter()
            .all(|word| self.lexicon.has("own", word) || self.lexicon.has("leads", word));
        (title.filter(|_| !only), moment)
    }

    /// "d'appeler" leads to "appeler".
    fn unelided(&self, title: String) -> String {
        let apostrophe = title.find(['\'', '\u{2019}']);
        match apostrophe.map(|at| (fold(&title[..at]), at)) {
            Some((before, at)) if self.lexicon.has("elided", &before) => title[at..]
                .trim_start_matches(['\'', '\u{2019}'])
                .to_owned(),
            _ => title,
        }
    }

    /// The words as written, with what stands between neighbours.
    fn joined(&self, kept: &[usize]) -> Option<String> {
        let mut text = String::new();
        for (k, at) in kept.iter().enumerate() {
            let word = &self.words[*at];
            if let Some(before) = k.checked_sub(1).map(|before| kept[before]) {
                if before + 1 == *at {
                    text.push_str(&self.message[self.words[before].span.end..word.span.start]);
                } else {
                    text.push(' ');
                }
            }
            text.push_str(&self.message[word.span.clone()]);
        }
        (!text.is_empty()).then_some(text)
    }

    fn created(&self, from: usize, to: usize) -> Option<Slots> {
        let (title, moment) = self.title(from, to);
        let mut slots = Slots {
            title,
            ..Slots::default()
        };
        self.due(&mut slots, moment.as_ref());
        Some(slots)
    }

    fn due(&self, slots: &mut Slots, moment: Option<&moments::Moment>) {
        let Some(moment) = moment.map(|found| found.moment) else {
            return;
        };
        if moment.has_clock {
            slots.due_at = Some(moment.instant(self.zone));
        } else {
            slots.due_date = Some(moment.at.date());
        }
    }

    /// "cambia X a Y": a moment moves it, other words rename it.
    fn updated(&self, from: usize, to: usize) -> Slots {
        let texts = self.texts();
        let joint = (from + 1..to.saturating_sub(1))
            .rev()
            .find(|at| self.lexicon.has("joints", texts[*at]));
        let (mention, moment) = self.title(from, to);
        if moment.is_some() {
            let mut slots = Slots {
                mention,
                ..Slots::default()
            };
            self.due(&mut slots, moment.as_ref());
            return slots;
        }
        match joint {
            Some(at) => Slots {
                mention: self.title(from, at).0,
                new_title: self.title(at + 1, to).0,
                ..Slots::default()
            },
            None => Slots {
                mention,
                ..Slots::default()
            },
        }
    }

    fn listed(&self) -> Slots {
        let texts = self.texts();
        let named = |section: &str| texts.iter().any(|word| self.lexicon.has(section, word));
        let mut filters = Vec::new();
        for (section, value) in [("overdue", "overdue"), ("done", "completed")] {
            if named(section) {
                filters.push(Filter::new(Field::Status, Op::Is, value));
            }
        }
        let moment = moments::find(self.message, self.words, self.lexicon, self.local);
        let day = moment
            .filter(|_| filters.is_empty())
            .map(|found| found.moment.at.date());
        if let Some(day) = day {
            filters.push(Filter::new(Field::Due, Op::Is, day.to_string()));
        }
        Slots {
            filters,
            due_date: day,
            ..Slots::default()
        }
    }
}

/// Where the argument of a pattern stands in the words `start..end`.
fn fits<'p>(pattern: &'p Pattern, texts: &[&str], start: usize, end: usize) -> Option<Match<'p>> {
    let words = &texts[start..end];
    let fixed = pattern.head.len() + pattern.tail.len();
    let whole = !pattern.open;
    if words.len() < fixed
        || whole && words.len() > fixed + 1
        || pattern.head.is_empty() && words.len() == fixed
    {
        return None;
    }
    let begins = pattern.head.iter().zip(words).all(|(a, b)| a == b);
    let ends = pattern
        .tail
        .iter()
        .zip(&words[words.len() - pattern.tail.len()..])
        .all(|(a, b)| a == b);
    (begins && ends).then(|| Match {
        pattern,
        from: start + pattern.head.len(),
        to: end - pattern.tail.len(),
    })
}
