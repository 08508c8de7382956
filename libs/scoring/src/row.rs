//! One lead as the models see it: names with values.

use std::borrow::Cow;

/// What a lead has in one field.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Nothing.
    Missing,
    /// A number; not finite counts as missing.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// One of several words; blank counts as missing.
    Text(Cow<'a, str>),
    /// Any number of words.
    Tags(Vec<Cow<'a, str>>),
}

impl From<f64> for Value<'_> {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Missing, Into::into)
    }
}

/// The fields of one lead. A field that is not there is missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row<'a> {
    cells: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Row<'a> {
    /// A lead of which nothing is known.
    #[must_use]
    pub const fn new() -> Self {
        Self { cells: Vec::new() }
    }

    /// The same with one more field.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) -> Self {
        self.cells.push((name.into(), value.into()));
        self
    }

    /// Sets a field, whether it was there or not: what if?
    pub fn set(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) {
        let name = name.into();
        match self.cells.iter_mut().find(|(known, _)| *known == name) {
            Some((_, cell)) => *cell = value.into(),
            None => self.cells.push((name, value.into())),
        }
    }

    /// The value of a field, when it is there.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// All fields in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.cells
            .iter()
            .map(|(name, value)| (name.as_ref(), value))
    }
}
