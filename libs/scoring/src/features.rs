//! From a lead's fields to the numbers that the models read. A number stays one (NaN is missing); a word becomes the
//! code of its level, with a bucket for rare and unknown words and one for missing; a tag becomes 0 or 1.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::column::{Column, MISSING, number, text};
use crate::dataset::{Dataset, Kind};
use crate::row::{Row, Value};

/// Most levels that a word may have; the rest are in the bucket of rare words.
const MOST_LEVELS: usize = 250;
/// A word that fewer leads have says nothing that can be relied on.
const LEAST_ROWS: usize = 3;
/// Most tags of one field.
const MOST_TAGS: usize = 50;

/// One number that the models read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Feature {
    /// Index of the field that it comes from.
    pub(crate) field: usize,
    pub(crate) kind: FeatureKind,
}

/// How a feature is read off its field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FeatureKind {
    Number,
    /// Code = index of the level; then rare or unknown; then missing.
    Category(Vec<String>),
    HasTag(String),
}

impl Feature {
    /// How many codes a category has, with its two buckets; 0 for a number.
    pub(crate) const fn codes(&self) -> usize {
        match &self.kind {
            FeatureKind::Category(levels) => levels.len() + 2,
            FeatureKind::Number | FeatureKind::HasTag(_) => 0,
        }
    }
}

/// A field that the model reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
}

/// Features of many leads, by column.
#[derive(Debug, Clone, Default)]
pub(crate) struct Matrix {
    pub(crate) columns: Vec<Vec<f64>>,
    pub(crate) rows: usize,
}

impl Matrix {
    /// One row into `into`.
    pub(crate) fn row(&self, row: usize, into: &mut Vec<f64>) {
        into.clear();
        into.extend(self.columns.iter().map(|column| column[row]));
    }
}

/// Turns leads into features, in training and afterwards in the same way.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Parts", into = "Parts")]
pub(crate) struct Encoder {
    pub(crate) fields: Vec<Field>,
    pub(crate) features: Vec<Feature>,
    by_name: HashMap<String, usize>,
    /// First and last feature of each field.
    spans: Vec<(usize, usize)>,
    /// Of each field: what a word is. For a category its code, for tags the feature.
    words: Vec<HashMap<String, usize>>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Parts {
    fields: Vec<Field>,
    features: Vec<Feature>,
}

impl From<Encoder> for Parts {
    fn from(
        Encoder {
            fields, features, ..
        }: Encoder,
    ) -> Self {
        Self { fields, features }
    }
}

impl From<Parts> for Encoder {
    fn from(Parts { fields, features }: Parts) -> Self {
        let by_name = fields
            .iter()
            .enumerate()
            .map(|(at, field)| (field.name.clone(), at))
            .collect();
        let mut spans = vec![(0, 0); fields.len()];
        let mut words = vec![HashMap::new(); fields.len()];
        for (at, feature) in features.iter().enumerate() {
            let Some(span) = spans.get_mut(feature.field) else {
                continue;
            };
            *span = (if span.1 == 0 { at } else { span.0 }, at + 1);
            match &feature.kind {
                FeatureKind::Number => {}
                FeatureKind::Category(levels) => {
                    words[feature.field] = levels
                        .iter()
                        .enumerate()
                        .map(|(code, word)| (word.clone(), code))
                        .collect();
                }
                FeatureKind::HasTag(tag) => {
                    words[feature.field].insert(tag.clone(), at);
                }
            }
        }
        Self {
            fields,
            features,
            by_name,
            spans,
            words,
        }
    }
}

impl Encoder {
    /// Learns the levels and leaves out fields that say nothing: constant, or different in every row. Looks at no
    /// outcome.
    pub(crate) fn fit(data: &Dataset) -> Self {
        let mut parts = Parts {
            fields: Vec::new(),
            features: Vec::new(),
        };
        for (name, column) in data.names.iter().zip(&data.columns) {
            let kinds = match column {
                Column::Unknown => Vec::new(),
                Column::Number(cells) | Column::Flag(cells) => numbers(cells),
                Column::Category(cells, words) => categories(cells, &words.words),
                Column::Tags(cells, words) => tags(cells, &words.words),
            };
            if kinds.is_empty() {
                continue;
            }
            let field = parts.fields.len();
            parts.fields.push(Field {
                name: name.clone(),
                kind: column.kind(),
            });
            parts
                .features
                .extend(kinds.into_iter().map(|kind| Feature { field, kind }));
        }
        parts.into()
    }

    /// The features of one lead.
    pub(crate) fn encode(&self, row: &Row<'_>) -> Vec<f64> {
        let mut inputs: Vec<f64> = self
            .features
            .iter()
            .map(|feature| missing(&feature.kind))
            .collect();
        for (name, value) in row.iter() {
            if let Some(field) = self.by_name.get(name) {
                self.put(*field, value, &mut inputs);
            }
        }
        inputs
    }

    fn put(&self, field: usize, value: &Value<'_>, inputs: &mut [f64]) {
        let (first, _) = self.spans[field];
        let words = &self.words[field];
        match (&self.features[first].kind, value) {
            (FeatureKind::Number, value) => inputs[first] = number(value),
            (FeatureKind::Category(levels), value) => {
                if let Some(word) = text(value).filter(|word| !word.is_empty()) {
                    inputs[first] =
                        words.get(word.as_ref()).copied().unwrap_or(levels.len()) as f64;
                }
            }
            (FeatureKind::HasTag(_), Value::Tags(tags)) => {
                for feature in tags.iter().filter_map(|tag| words.get(tag.trim())) {
                    inputs[*feature] = 1.0;
                }
            }
            (FeatureKind::HasTag(_), value) => {
                if let Some(feature) = text(value).and_then(|tag| words.get(tag.as_ref())) {
                    inputs[*feature] = 1.0;
                }
            }
        }
    }

    /// The features of a whole data set.
    pub(crate) fn matrix(&self, data: &Dataset) -> Matrix {
        let columns = self.features.iter().map(|feature| {
            let name = &self.fields[feature.field].name;
            let column = data
                .names
                .iter()
                .position(|known| known == name)
                .map(|at| &data.columns[at]);
            feature_column(&feature.kind, column, data.len())
        });
        Matrix {
            columns: columns.collect(),
            rows: data.len(),
        }
    }
}

fn missing(kind: &FeatureKind) -> f64 {
    match kind {
        FeatureKind::Number => f64::NAN,
        FeatureKind::Category(levels) => (levels.len() + 1) as f64,
        FeatureKind::HasTag(_) => 0.0,
    }
}

fn feature_column(kind: &FeatureKind, column: Option<&Column>, rows: usize) -> Vec<f64> {
    let own = match (kind, column) {
        (FeatureKind::Number, Some(Column::Number(cells) | Column::Flag(cells))) => {
            Some(cells.clone())
        }
        (FeatureKind::Category(levels), Some(Column::Category(cells, words))) => {
            let codes: HashMap<&str, usize> = levels
                .iter()
                .enumerate()
                .map(|(code, level)| (level.as_str(), code))
                .collect();
            let of_word: Vec<f64> = words
                .words
                .iter()
                .map(|word| codes.get(word.as_str()).copied().unwrap_or(levels.len()) as f64)
                .collect();
            let code = |cell: &u32| {
                of_word
                    .get(*cell as usize)
                    .copied()
                    .unwrap_or_else(|| missing(kind))
            };
            Some(cells.iter().map(code).collect())
        }
        (FeatureKind::HasTag(tag), Some(Column::Tags(cells, words))) => {
            let code = words
                .words
                .iter()
                .position(|word| word == tag)
                .map_or(MISSING, |code| code as u32);
            Some(
                cells
                    .iter()
                    .map(|cell| f64::from(u8::from(cell.binary_search(&code).is_ok())))
                    .collect(),
            )
        }
        _ => None,
    };
    own.unwrap_or_else(|| vec![missing(kind); rows])
}

fn numbers(cells: &[f64]) -> Vec<FeatureKind> {
    let first = cells.first().copied().unwrap_or(f64::NAN);
    let same = |cell: &f64| *cell == first || (cell.is_nan() && first.is_nan());
    if cells.iter().all(same) {
        Vec::new()
    } else {
        vec![FeatureKind::Number]
    }
}

fn categories(cells: &[u32], words: &[String]) -> Vec<FeatureKind> {
    let mut counts = vec![0; words.len()];
    let mut missing = 0;
    for cell in cells {
        match counts.get_mut(*cell as usize) {
            Some(count) => *count += 1,
            None => missing += 1,
        }
    }
    let levels = frequent(&counts, words, MOST_LEVELS);
    let kept: usize = counts.iter().filter(|count| **count >= LEAST_ROWS).sum();
    let others = usize::from(missing > 0) + usize::from(kept + missing < cells.len());
    if levels.len() + others < 2 {
        Vec::new()
    } else {
        vec![FeatureKind::Category(levels)]
    }
}

fn tags(cells: &[Vec<u32>], words: &[String]) -> Vec<FeatureKind> {
    let mut counts = vec![0; words.len()];
    for code in cells.iter().flatten() {
        counts[*code as usize] += 1;
    }
    for count in &mut counts {
        // a tag that every lead has says nothing
        *count = if *count == cells.len() { 0 } else { *count };
    }
    frequent(&counts, words, MOST_TAGS)
        .into_iter()
        .map(FeatureKind::HasTag)
        .collect()
}

/// The words that enough rows have, most frequent first, then by name: the order does not depend on the rows' order.
fn frequent(counts: &[usize], words: &[String], most: usize) -> Vec<String> {
    let mut order: Vec<usize> = (0..words.len())
        .filter(|word| counts[*word] >= LEAST_ROWS)
        .collect();
    order.sort_by(|a, b| {
        counts[*b]
            .cmp(&counts[*a])
            .then_with(|| words[*a].cmp(&words[*b]))
    });
    order
        .into_iter()
        .take(most)
        .map(|word| words[word].clone())
        .collect()
}
