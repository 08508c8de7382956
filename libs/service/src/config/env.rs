//! The environment: where values come from, what was wrong with them, and what was asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bz_kernel::SecretString;
use url::Url;

use super::var::Var;

/// The environment variables of one service. Values are taken by name with [`Env::text`] and its siblings; what was
/// wrong is collected and told at once by [`Env::finish`].
pub struct Env {
    values: BTreeMap<String, String>,
    rows: Vec<Row>,
    problems: Vec<Problem>,
}

/// One variable that was asked for: a line of the reference and of the effective configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Name of the variable.
    pub name: &'static str,
    /// What a value looks like: `text`, `whole number`, `duration`.
    pub kind: &'static str,
    /// What holds without the variable.
    pub default: WhenUnset,
    /// Whether the value must never be shown.
    pub secret: bool,
    /// What it is for.
    pub doc: &'static str,
    /// The value in force; `None` when unset. Of a secret only that it is set.
    pub effective: Option<String>,
}

/// What holds when a variable is not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhenUnset {
    /// The process does not start.
    Required,
    /// Nothing: what it configures is off.
    Nothing,
    /// This value.
    Value(String),
}

/// What was wrong with one variable, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Name of the variable.
    pub name: String,
    /// What was wrong, without the value of a secret.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

/// Everything that was wrong with the configuration; one line each.
#[derive(Debug, thiserror::Error)]
pub struct ConfigProblems(pub Vec<Problem>);

impl fmt::Display for ConfigProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.0.iter().enumerate() {
            let separator = if n == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl Env {
    /// The variables of this process. The one place that reads them.
    #[must_use]
    pub fn from_process() -> Self {
        // A name or value that is not UTF-8 cannot be one of ours.
        Self::from_map(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }))
    }

    /// Variables given by the caller: the services of `bizosaas up`, and tests.
    pub fn from_map<N: Into<String>, V: Into<String>>(
        values: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let values = values
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()));
        Self {
            values: values.collect(),
            rows: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// A variable with free text.
    pub fn text(&mut self, name: &'static str, doc: &'static str) -> Var<'_, String> {
        Var::new(self, name, doc, "text", |text| Ok(text.to_owned()))
    }

    /// A variable that must never be shown.
    pub fn secret(&mut self, name: &'static str, doc: &'static str) -> Var<'_, SecretString> {
        Var::new(self, name, doc, "secret", |text| Ok(text.to_owned().into())).secret()
    }

    /// The address of something that speaks HTTP.
    pub fn url(&mut self, name: &'static str, doc: &'static str) -> Var<'_, Url> {
        Var::new(self, name, doc, "URL", |text| match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
            Ok(_) | Err(_) => Err("write an address such as http://127.0.0.1:8001".to_owned()),
        })
    }

    /// A whole number.
    pub fn number<T>(&mut self, name: &'static str, doc: &'static str) -> Var<'_, T>
    where
        T: FromStr + 'static,
    {
        let parse = |text: &str| {
            text.parse()
                .map_err(|_| "write a whole number in range".to_owned())
        };
        Var::new(self, name, doc, "whole number", parse)
    }

    /// A span of time with its unit.
    pub fn duration(&mut self, name: &'static str, doc: &'static str) -> Var<'_, Duration> {
        Var::new(self, name, doc, "duration", |text| {
            humantime::parse_duration(text)
                .map_err(|_| "write a number and its unit, such as 250ms, 5s or 2m".to_owned())
        })
    }

    /// A switch.
    pub fn flag(&mut self, name: &'static str, doc: &'static str) -> Var<'_, bool> {
        Var::new(self, name, doc, "true or false", |text| {
            match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Ok(true),
                "false" | "0" | "no" | "off" => Ok(false),
                _ => Err("write true or false".to_owned()),
            }
        })
    }

    /// Any other type; `kind` is its name in the reference.
    pub fn parsed<T>(
        &mut self,
        name: &'static str,
        kind: &'static str,
        doc: &'static str,
    ) -> Var<'_, T>
    where
        T: FromStr<Err: fmt::Display> + 'static,
    {
        Var::new(self, name, doc, kind, |text| {
            text.parse().map_err(|error: T::Err| error.to_string())
        })
    }

    /// Items separated by commas; none when empty.
    pub fn list(&mut self, name: &'static str, doc: &'static str) -> Var<'_, Vec<String>> {
        Var::new(self, name, doc, "list separated by commas", |text| {
            Ok(text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(str::to_owned)
                .collect())
        })
    }

    /// Whether a variable is set, by value or by file, without taking it.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        self.raw(name).is_some() || self.raw(&format!("{name}_FILE")).is_some()
    }

    /// Records something that was wrong, for checks across variables.
    pub fn problem(&mut self, name: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem {
            name: name.into(),
            message: message.into(),
        });
    }

    /// What was asked for so far, in order.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The configuration in force, for one log line: names and values, without secrets.
    #[must_use]
    pub fn effective(&self) -> serde_json::Value {
        self.rows
            .iter()
            .map(|row| {
                (
                    row.name.to_owned(),
                    serde_json::Value::from(row.effective.clone()),
                )
            })
            .collect()
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Every problem found, and every variable whose name is nearly one that was asked for.
    pub fn finish(&self) -> Result<(), ConfigProblems> {
        let problems: Vec<_> = self
            .problems
            .iter()
            .cloned()
            .chain(self.misspelt())
            .collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(ConfigProblems(problems))
        }
    }

    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    pub(super) fn record(&mut self, row: Row) {
        if !self.rows.iter().any(|known| known.name == row.name) {
            self.rows.push(row);
        }
    }

    /// An environment holds the variables of others, so an unknown name alone is no fault; one that is a slip away
    /// from a name of ours is.
    fn misspelt(&self) -> Vec<Problem> {
        let known: BTreeSet<String> = self
            .rows
            .iter()
            .flat_map(|row| [row.name.to_owned(), format!("{}_FILE", row.name)])
            .collect();
        let family = |name: &str| name.split('_').next().unwrap_or_default().to_owned();
        let near = |name: &str| {
            known
                .iter()
                .filter(|ours| family(ours) == family(name))
                .map(|ours| (strsim::osa_distance(ours, name), ours))
                .min()
                .filter(|(distance, _)| (1..=2).contains(distance))
        };
        let unknown = self
            .values
            .keys()
            .filter(|name| !known.contains(*name) && self.raw(name).is_some());
        unknown
            .filter_map(|name| {
                let (_, ours) = near(name)?;
                Some(Problem {
                    name: name.clone(),
                    message: format!("is unknown; did you mean {ours}?"),
                })
            })
            .collect()
    }
}

/// Redacting: names only.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self
            .rows
            .iter()
            .filter(|row| row.effective.is_some())
            .map(|row| row.name)
            .collect();
        f.debug_struct("Env")
            .field("set", &names)
            .field("problems", &self.problems)
            .finish()
    }
}
