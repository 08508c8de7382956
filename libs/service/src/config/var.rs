//! One variable on its way from text to a checked value.

use std::fmt::Display;

use super::env::{Env, Row, WhenUnset};

type Parse<T> = Box<dyn Fn(&str) -> Result<T, String>>;

/// A variable that is being read. It ends with [`Var::required`], [`Var::or`] or [`Var::optional`], each of which
/// answers `None` when there was a problem (which [`Env::finish`] then tells).
#[must_use = "end with required(), or(..) or optional()"]
pub struct Var<'env, T> {
    env: &'env mut Env,
    name: &'static str,
    kind: &'static str,
    doc: &'static str,
    secret: bool,
    shown_default: Option<&'static str>,
    parse: Parse<T>,
}

impl<'env, T: 'static> Var<'env, T> {
    pub(super) fn new(
        env: &'env mut Env,
        name: &'static str,
        doc: &'static str,
        kind: &'static str,
        parse: impl Fn(&str) -> Result<T, String> + 'static,
    ) -> Self {
        Self {
            env,
            name,
            kind,
            doc,
            secret: false,
            shown_default: None,
            parse: Box::new(parse),
        }
    }

    /// Never shown: not in problems, logs or the reference.
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Adds a check. The message says what to write instead.
    pub fn check(mut self, check: impl Fn(&T) -> Result<(), String> + 'static) -> Self {
        let parse = self.parse;
        self.parse =
            Box::new(move |text| parse(text).and_then(|value| check(&value).map(|()| value)));
        self
    }

    /// Converts the value.
    pub fn map<U: 'static>(
        self,
        convert: impl Fn(T) -> Result<U, String> + 'static,
    ) -> Var<'env, U> {
        let Self {
            env,
            name,
            kind,
            doc,
            secret,
            shown_default,
            parse,
        } = self;
        let parse: Parse<U> = Box::new(move |text| parse(text).and_then(&convert));
        Var {
            env,
            name,
            kind,
            doc,
            secret,
            shown_default,
            parse,
        }
    }

    /// What the reference shows as default where it differs from service to service.
    pub fn shown_default(mut self, text: &'static str) -> Self {
        self.shown_default = Some(text);
        self
    }

    /// The process does not start without it.
    pub fn required(self) -> Option<T> {
        let (name, kind) = (self.name, self.kind);
        match self.take(WhenUnset::Required, None) {
            Taken::Value(value) => Some(value),
            Taken::Problem => None,
            Taken::Unset(env) => {
                env.problem(
                    name,
                    format!("is required; set {name} or {name}_FILE to a {kind}"),
                );
                None
            }
        }
    }

    /// This value when unset, written as it would be in the environment.
    pub fn or(self, default: impl Into<String>) -> Option<T> {
        let default = default.into();
        let shown = self
            .shown_default
            .map_or_else(|| default.clone(), str::to_owned);
        match self.take(WhenUnset::Value(shown), Some(default)) {
            Taken::Value(value) => Some(value),
            Taken::Unset(_) | Taken::Problem => None,
        }
    }

    /// Nothing when unset. The outer `None` is a problem, the inner one is "not set".
    pub fn optional(self) -> Option<Option<T>> {
        match self.take(WhenUnset::Nothing, None) {
            Taken::Value(value) => Some(Some(value)),
            Taken::Unset(_) => Some(None),
            Taken::Problem => None,
        }
    }

    fn take(self, default: WhenUnset, fallback: Option<String>) -> Taken<'env, T> {
        let Self {
            env,
            name,
            kind,
            doc,
            secret,
            parse,
            ..
        } = self;
        let set = from_value_or_file(env, name).map(|set| set.or(fallback));
        let in_force = set.as_ref().ok().and_then(Option::as_ref);
        let effective = in_force.map(|value| match secret {
            true => "set, not shown".to_owned(),
            false => value.clone(),
        });
        env.record(Row {
            name,
            kind,
            default,
            secret,
            doc,
            effective,
        });
        let parsed = match set {
            Ok(None) => return Taken::Unset(env),
            Ok(Some(text)) => parse(&text).map_err(|advice| match secret {
                true => advice,
                false => format!("{text:?} is not a {kind}; {advice}"),
            }),
            Err(message) => Err(message),
        };
        match parsed {
            Ok(value) => Taken::Value(value),
            Err(message) => {
                env.problem(name, message);
                Taken::Problem
            }
        }
    }
}

impl<T: PartialOrd + Display + Copy + 'static> Var<'_, T> {
    /// Adds the check that the value lies in a range, both ends included.
    pub fn within(self, least: T, most: T) -> Self {
        self.check(move |value| {
            if (least..=most).contains(value) {
                Ok(())
            } else {
                Err(format!("write {least} to {most}"))
            }
        })
    }
}

enum Taken<'env, T> {
    Value(T),
    Unset(&'env mut Env),
    Problem,
}

fn from_value_or_file(env: &Env, name: &str) -> Result<Option<String>, String> {
    let file_variable = format!("{name}_FILE");
    match (env.raw(name), env.raw(&file_variable)) {
        (Some(_), Some(_)) => Err(format!("is set twice; unset {name} or {file_variable}")),
        (Some(value), None) => Ok(Some(value.to_owned())),
        (None, None) => Ok(None),
        (None, Some(path)) => match std::fs::read_to_string(path) {
            Ok(text) if text.trim().is_empty() => {
                Err(format!("the file of {file_variable} ({path}) is empty"))
            }
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) => Err(format!(
                "the file of {file_variable} ({path}) cannot be read: {error}"
            )),
        },
    }
}
