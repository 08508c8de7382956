//! The list of what may break a rule.

use serde::Deserialize;

use crate::migrate::embedded_file;

/// The exceptions of `migrations/exceptions.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exceptions {
    #[serde(default, rename = "exception")]
    entries: Vec<Exception>,
}

/// One object that may break one rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The rule.
    pub rule: String,
    /// The object as the rule names it; `*.` at the start stands for every schema.
    pub object: String,
    /// Why the object cannot follow the rule and what protects it instead.
    pub reason: String,
}

/// `exceptions.toml` cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InvalidExceptions {
    /// Not the expected TOML.
    #[error("migrations/exceptions.toml is malformed: {0}")]
    Malformed(#[from] toml::de::Error),
    /// An entry that does not say why.
    #[error("migrations/exceptions.toml gives no reason for {0}")]
    NoReason(String),
}

impl Exceptions {
    /// The list that was embedded with the migrations.
    ///
    /// # Errors
    /// [`InvalidExceptions`]
    pub fn embedded() -> Result<Self, InvalidExceptions> {
        Self::parse(embedded_file("exceptions.toml").unwrap_or_default())
    }

    /// Reads a list.
    ///
    /// # Errors
    /// [`InvalidExceptions`]
    pub fn parse(text: &str) -> Result<Self, InvalidExceptions> {
        let list: Self = toml::from_str(text)?;
        match list
            .entries
            .iter()
            .find(|entry| entry.reason.trim().is_empty())
        {
            Some(entry) => Err(InvalidExceptions::NoReason(entry.object.clone())),
            None => Ok(list),
        }
    }

    /// The entries, in the order of the file.
    #[must_use]
    pub fn entries(&self) -> &[Exception] {
        &self.entries
    }

    /// Whether `object` may break `rule`.
    #[must_use]
    pub fn allow(&self, rule: &str, object: &str) -> bool {
        self.entries.iter().any(|entry| entry.covers(rule, object))
    }
}

impl Exception {
    /// Whether this entry is about `object` and `rule`.
    #[must_use]
    pub fn covers(&self, rule: &str, object: &str) -> bool {
        let same_object = match self.object.strip_prefix("*.") {
            Some(rest) => object.split_once('.').is_some_and(|(_, name)| name == rest),
            None => self.object == object,
        };
        self.rule == rule && same_object
    }
}
