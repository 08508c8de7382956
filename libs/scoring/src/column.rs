//! The values of one field over all rows, in the smallest form that its type has.

use std::collections::HashMap;

use crate::dataset::Kind;
use crate::row::Value;

/// Code of a word that is missing.
pub(crate) const MISSING: u32 = u32::MAX;

/// Words, each with a small number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dictionary {
    pub(crate) words: Vec<String>,
    codes: HashMap<String, u32>,
}

impl Dictionary {
    fn code(&mut self, word: &str) -> u32 {
        let word = word.trim();
        if word.is_empty() {
            return MISSING;
        }
        if let Some(code) = self.codes.get(word) {
            return *code;
        }
        let code = self.words.len() as u32;
        self.words.push(word.to_owned());
        self.codes.insert(word.to_owned(), code);
        code
    }
}

/// One field over all rows. A column may be shorter than the data set until the next value comes: the rest is missing.
#[derive(Debug, Clone)]
pub(crate) enum Column {
    /// No value seen yet.
    Unknown,
    /// NaN is missing.
    Number(Vec<f64>),
    /// 0, 1, or NaN for missing.
    Flag(Vec<f64>),
    Category(Vec<u32>, Dictionary),
    Tags(Vec<Vec<u32>>, Dictionary),
}

impl Column {
    pub(crate) fn empty(kind: Kind, rows: usize) -> Self {
        let mut column = match kind {
            Kind::Number => Self::Number(Vec::new()),
            Kind::Flag => Self::Flag(Vec::new()),
            Kind::Category => Self::Category(Vec::new(), Dictionary::default()),
            Kind::Tags => Self::Tags(Vec::new(), Dictionary::default()),
        };
        column.fill(rows);
        column
    }

    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Number(_) => Kind::Number,
            Self::Flag(_) => Kind::Flag,
            Self::Unknown | Self::Category(..) => Kind::Category,
            Self::Tags(..) => Kind::Tags,
        }
    }

    /// Makes the column `rows` long.
    pub(crate) fn fill(&mut self, rows: usize) {
        match self {
            Self::Unknown => {}
            Self::Number(cells) | Self::Flag(cells) => cells.resize(rows, f64::NAN),
            Self::Category(cells, _) => cells.resize(rows, MISSING),
            Self::Tags(cells, _) => cells.resize(rows, Vec::new()),
        }
    }

    /// Sets the value of row `row`, the last one; of a field given twice in a row the later value counts.
    pub(crate) fn put(&mut self, row: usize, value: &Value<'_>, declared: bool) {
        if matches!(value, Value::Missing) {
            return;
        }
        if matches!(self, Self::Unknown) {
            *self = Self::empty(kind_of(value), row);
        }
        if !declared && !self.fits(value) {
            self.widen(value);
        }
        self.fill(row);
        match self {
            Self::Unknown => {}
            Self::Number(cells) | Self::Flag(cells) => cells.push(number(value)),
            Self::Category(cells, words) => {
                cells.push(text(value).map_or(MISSING, |word| words.code(&word)));
            }
            Self::Tags(cells, words) => cells.push(tags(value, words)),
        }
    }

    fn fits(&self, value: &Value<'_>) -> bool {
        match self {
            Self::Unknown | Self::Category(..) | Self::Tags(..) => true,
            Self::Number(_) => !number(value).is_nan() || matches!(value, Value::Number(_)),
            Self::Flag(_) => matches!(value, Value::Flag(_)),
        }
    }

    /// Takes a wider type so that `value` fits in: a flag becomes a number, everything else a word.
    fn widen(&mut self, value: &Value<'_>) {
        let (Self::Number(cells) | Self::Flag(cells)) = &*self else {
            return;
        };
        if matches!((&*self, value), (Self::Flag(_), Value::Number(_))) {
            *self = Self::Number(cells.clone());
            return;
        }
        let flag = matches!(self, Self::Flag(_));
        let mut words = Dictionary::default();
        let codes = cells
            .iter()
            .map(|cell| match (cell.is_nan(), flag) {
                (true, _) => MISSING,
                (false, true) => words.code(if *cell > 0.0 { "true" } else { "false" }),
                (false, false) => words.code(&cell.to_string()),
            })
            .collect();
        *self = Self::Category(codes, words);
    }

    /// Words that are all numbers become numbers.
    pub(crate) fn narrow(&mut self) {
        let Self::Category(cells, words) = &*self else {
            return;
        };
        let numbers: Option<Vec<f64>> = words.words.iter().map(|word| parse(word)).collect();
        if let Some(numbers) = numbers.filter(|numbers| !numbers.is_empty()) {
            let value = |code: &u32| numbers.get(*code as usize).copied().unwrap_or(f64::NAN);
            *self = Self::Number(cells.iter().map(value).collect());
        }
    }
}

fn kind_of(value: &Value<'_>) -> Kind {
    match value {
        Value::Number(_) => Kind::Number,
        Value::Flag(_) => Kind::Flag,
        Value::Missing | Value::Text(_) => Kind::Category,
        Value::Tags(_) => Kind::Tags,
    }
}

fn parse(word: &str) -> Option<f64> {
    word.trim()
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
}

/// The value as a number; NaN when it is none.
pub(crate) fn number(value: &Value<'_>) -> f64 {
    match value {
        Value::Number(number) if number.is_finite() => *number,
        Value::Flag(flag) => f64::from(u8::from(*flag)),
        Value::Text(word) => match word.trim() {
            "true" => 1.0,
            "false" => 0.0,
            word => parse(word).unwrap_or(f64::NAN),
        },
        Value::Missing | Value::Number(_) | Value::Tags(_) => f64::NAN,
    }
}

/// The value as a word.
pub(crate) fn text<'a>(value: &'a Value<'_>) -> Option<std::borrow::Cow<'a, str>> {
    match value {
        Value::Missing => None,
        Value::Number(number) => number.is_finite().then(|| number.to_string().into()),
        Value::Flag(flag) => Some(if *flag { "true" } else { "false" }.into()),
        Value::Text(word) => Some(word.trim().into()),
        Value::Tags(words) => Some(words.join(", ").into()),
    }
}

fn tags(value: &Value<'_>, words: &mut Dictionary) -> Vec<u32> {
    let mut codes: Vec<u32> = match value {
        Value::Tags(tags) => tags.iter().map(|tag| words.code(tag)).collect(),
        other => text(other)
            .map(|word| words.code(&word))
            .into_iter()
            .collect(),
    };
    codes.retain(|code| *code != MISSING);
    codes.sort_unstable();
    codes.dedup();
    codes
}
