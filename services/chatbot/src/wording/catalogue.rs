//! The catalogue of messages: one file a language, in the format of Project Fluent (<https://projectfluent.org>), whose
//! messages have plurals and choices of their own. The keys below are all there are; a test compares them with the files.

use std::sync::LazyLock;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};

use super::keys::{self, Key};
use crate::actions::Due;
use crate::understand::Language;

type Bundle = FluentBundle<FluentResource>;

static ENGLISH: LazyLock<Bundle> = LazyLock::new(|| bundle("en", Language::En));
static SPANISH: LazyLock<Bundle> = LazyLock::new(|| bundle("es", Language::Es));
static GERMAN: LazyLock<Bundle> = LazyLock::new(|| bundle("de", Language::De));
static FRENCH: LazyLock<Bundle> = LazyLock::new(|| bundle("fr", Language::Fr));

/// The messages of a language as they are written.
pub(super) const fn source(language: Language) -> &'static str {
    match language {
        Language::En => include_str!("messages/en.ftl"),
        Language::Es => include_str!("messages/es.ftl"),
        Language::De => include_str!("messages/de.ftl"),
        Language::Fr => include_str!("messages/fr.ftl"),
    }
}

fn bundle(tag: &str, language: Language) -> Bundle {
    let mut bundle = Bundle::new_concurrent(tag.parse().into_iter().collect());
    // Marks of direction around each value would come back in what users copy.
    bundle.set_use_isolating(false);
    let read = FluentResource::try_new(source(language).to_owned());
    let resource = read.unwrap_or_else(|(part, errors)| {
        tracing::error!(?errors, language = tag, "the catalogue has mistakes");
        part
    });
    bundle.add_resource_overriding(resource);
    bundle
}

fn bundle_of(language: Language) -> &'static Bundle {
    match language {
        Language::En => &ENGLISH,
        Language::Es => &SPANISH,
        Language::De => &GERMAN,
        Language::Fr => &FRENCH,
    }
}

/// How one answer is said: in the user's language, with days as they are where the user lives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Voice {
    pub(crate) language: Language,
    /// When it was asked: "tomorrow" is meant from there.
    pub(crate) now: DateTime<Utc>,
    pub(crate) zone: Tz,
}

impl Voice {
    /// English, for who has not said anything yet.
    pub(crate) const fn english(now: DateTime<Utc>) -> Self {
        Self {
            language: Language::En,
            now,
            zone: Tz::UTC,
        }
    }

    /// A message that has no variables.
    pub(crate) fn word(&self, key: Key) -> String {
        self.say::<&str>(key, [])
    }

    /// A message with its variables, all of one type.
    pub(crate) fn say<'a, V: Into<FluentValue<'a>>>(
        &self,
        key: Key,
        variables: impl IntoIterator<Item = (&'static str, V)>,
    ) -> String {
        let bundle = bundle_of(self.language);
        let message = bundle.get_message(key.0);
        let Some(pattern) = message.and_then(|message| message.value()) else {
            tracing::error!(message = key.0, language = ?self.language, "the catalogue has no such message");
            return key.0.to_owned();
        };
        let mut given = FluentArgs::<'a>::new();
        for (name, value) in variables {
            given.set(name, value);
        }
        let mut errors = Vec::new();
        let said = bundle.format_pattern(pattern, Some(&given), &mut errors);
        if !errors.is_empty() {
            tracing::error!(?errors, message = key.0, language = ?self.language, "a message lacks a variable");
            debug_assert!(errors.is_empty(), "{}: {errors:?}", key.0);
        }
        said.into_owned()
    }

    /// "tomorrow, Tue 3 Mar 2026, 15:00".
    pub(crate) fn due(&self, due: Due) -> String {
        match due {
            Due::Date(date) => self.day(date),
            Due::At(at) => {
                let local = at.with_timezone(&self.zone);
                let time = local.format("%H:%M").to_string();
                let day = self.day(local.date_naive());
                self.say(keys::MOMENT, [("day", day), ("time", time)])
            }
        }
    }

    fn day(&self, date: NaiveDate) -> String {
        let today = self.now.with_timezone(&self.zone).date_naive();
        let key = match (date - today).num_days() {
            -1 => keys::DAY_YESTERDAY,
            0 => keys::DAY_TODAY,
            1 => keys::DAY_TOMORROW,
            _ => keys::DATE,
        };
        // The year as text: a number may be written with a mark for the thousands.
        let parts: [(_, FluentValue<'_>); 4] = [
            ("weekday", date.weekday().number_from_monday().into()),
            ("day", date.day().into()),
            ("month", date.month().into()),
            ("year", date.year().to_string().into()),
        ];
        self.say(key, parts)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use fluent_syntax::ast::{
        CallArguments, Entry, Expression, InlineExpression, Pattern, PatternElement,
    };
    use fluent_syntax::parser;

    use super::*;
    use crate::understand::{Intent, Situation, takes_back, understand};

    /// The variables and the other messages that a pattern names.
    fn names(pattern: &Pattern<&str>, found: &mut BTreeSet<String>) {
        for element in &pattern.elements {
            if let PatternElement::Placeable { expression } = element {
                of_expression(expression, found);
            }
        }
    }

    fn of_expression(expression: &Expression<&str>, found: &mut BTreeSet<String>) {
        match expression {
            Expression::Inline(inline) => of_inline(inline, found),
            Expression::Select { selector, variants } => {
                of_inline(selector, found);
                variants
                    .iter()
                    .for_each(|variant| names(&variant.value, found));
            }
        }
    }

    fn of_inline(inline: &InlineExpression<&str>, found: &mut BTreeSet<String>) {
        match inline {
            InlineExpression::VariableReference { id } => {
                found.insert(format!("${}", id.name));
            }
            InlineExpression::MessageReference { id, .. } => {
                found.insert(id.name.to_owned());
            }
            InlineExpression::Placeable { expression } => of_expression(expression, found),
            InlineExpression::FunctionReference {
                arguments: CallArguments { positional, .. },
                ..
            } => positional.iter().for_each(|one| of_inline(one, found)),
            _ => {}
        }
    }

    /// The messages of a language with what they name.
    fn messages(language: Language) -> BTreeMap<String, BTreeSet<String>> {
        let resource = parser::parse(source(language)).unwrap_or_else(|(_, errors)| {
            panic!("{language:?} has mistakes: {errors:?}");
        });
        let mut messages = BTreeMap::new();
        for entry in resource.body {
            if let Entry::Message(message) = entry {
                let mut found = BTreeSet::new();
                names(&message.value.unwrap(), &mut found);
                let twice = messages.insert(message.id.name.to_owned(), found);
                assert_eq!(twice, None, "{language:?} has {} twice", message.id.name);
            }
        }
        messages
    }

    #[test]
    fn every_message_is_there_in_every_language_with_the_same_variables() {
        let english = messages(Language::En);
        let named = english.values().flatten().map(String::as_str);
        let named = named.filter(|name| !name.starts_with('$'));
        let keys: BTreeSet<&str> = keys::ALL.iter().map(|key| key.0).chain(named).collect();
        let there: BTreeSet<&str> = english.keys().map(String::as_str).collect();
        assert_eq!(keys, there);
        for language in Language::ALL {
            assert_eq!(messages(language), english, "{language:?}");
        }
    }

    #[test]
    fn every_message_can_be_said_in_every_language() {
        for language in Language::ALL {
            let voice = Voice {
                language,
                now: DateTime::UNIX_EPOCH,
                zone: Tz::UTC,
            };
            let known = messages(language);
            for (name, variables) in &known {
                let mut all = variables.clone();
                // A day names the date, and the date its month.
                for _ in 0..2 {
                    let named: Vec<_> = all.iter().filter_map(|one| known.get(one)).collect();
                    all.extend(named.into_iter().flatten().cloned());
                }
                let Some(key) = keys::ALL.iter().find(|key| key.0 == name) else {
                    continue;
                };
                let given = all
                    .iter()
                    .filter_map(|one| one.strip_prefix('$'))
                    .map(|name| (name.to_owned().leak() as &'static str, "7"));
                let said = voice.say(*key, given);
                assert!(!said.is_empty() && !said.contains('{'), "{name}: {said}");
            }
        }
    }

    fn voice(language: Language) -> Voice {
        Voice {
            language,
            ..Voice::english("2026-03-02T09:00:00Z".parse().unwrap())
        }
    }

    fn meant(said: &str, voice: Voice) -> Intent {
        let situation = Situation {
            before: Some(voice.language),
            asked: true,
            ..Situation::at(voice.now, voice.zone)
        };
        understand(said, &situation).intent
    }

    #[test]
    fn what_people_are_told_to_say_is_understood() {
        for voice in Language::ALL.map(voice) {
            let told = [
                keys::GREETING,
                keys::HELP,
                keys::NO_TITLE,
                keys::NO_CHANGE,
                keys::UNKNOWN,
            ];
            let told = told.map(|key| voice.word(key)).join(" ");
            let quoted = told.split('"').skip(1).step_by(2).map(str::to_owned);
            for said in quoted.chain(voice.suggestions()) {
                let undo = said == "undo" || takes_back(&said);
                assert!(undo || meant(&said, voice) != Intent::None, "{said}");
            }
            let asked = voice.question("x");
            let answers: Vec<Intent> = asked
                .split('"')
                .skip(1)
                .step_by(2)
                .map(|said| meant(said, voice))
                .collect();
            assert_eq!(answers, [Intent::ConfirmYes, Intent::ConfirmNo], "{asked}");
        }
    }

    #[test]
    fn days_are_written_as_the_language_writes_them() {
        let at: DateTime<Utc> = "2026-03-03T14:00:00Z".parse().unwrap();
        for (language, moment, day) in [
            (
                Language::En,
                "tomorrow, Tue 3 Mar 2026, 15:00",
                "Fri 1 May 2026",
            ),
            (
                Language::Es,
                "mañana, mar 3 de marzo de 2026, 15:00",
                "vie 1 de mayo de 2026",
            ),
            (
                Language::De,
                "morgen, Di 3. März 2026, 15:00",
                "Fr 1. Mai 2026",
            ),
            (
                Language::Fr,
                "demain, mar. 3 mars 2026, 15:00",
                "ven. 1 mai 2026",
            ),
        ] {
            let voice = Voice {
                language,
                now: "2026-03-02T09:00:00Z".parse().unwrap(),
                zone: chrono_tz::Europe::Berlin,
            };
            assert_eq!(voice.due(Due::At(at)), moment);
            let date = NaiveDate::from_ymd_opt(2026, 5, 1).unwrap();
            assert_eq!(voice.due(Due::Date(date)), day);
        }
    }
}
