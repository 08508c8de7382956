//! Cross-validation: how rules and classifier do together on rows that the classifier was not trained on.

use std::collections::BTreeMap;

use chatbot::understand::Intent;
use chatbot::understand::classify::{Class, Model, features, verdict};

use crate::trainer::{Row, Weights, quantise, temperature, train};

/// Folds of the cross-validation.
pub const FOLDS: u32 = 5;

/// A row of the corpora.
#[derive(Debug, Clone)]
pub struct Sample {
    pub source: String,
    pub action: String,
    pub text: String,
}

impl Sample {
    /// Rows with the same words fall into the same fold.
    pub fn fold(&self) -> u32 {
        let folded = self.text.to_lowercase();
        let letters = folded.bytes().filter(u8::is_ascii_alphabetic);
        letters.fold(17_u32, |hash, byte| {
            hash.wrapping_mul(16_777_619) ^ u32::from(byte)
        }) / 7
            % FOLDS
    }

    /// Only these may be learned from: the others are under a share-alike licence.
    pub fn trainable(&self) -> bool {
        matches!(self.source.as_str(), "hwu" | "clinc150")
    }

    /// The class to learn; where the corpus allows several, that of the rules when it is one of them.
    pub fn class(&self) -> Option<Class> {
        let rules = || match chatbot::understand::classify::rules(&self.text) {
            Intent::TodoCreate => Some(Class::Create),
            Intent::TodoDelete => Some(Class::Delete),
            _ => None,
        };
        Some(match self.action.as_str() {
            "create" | "create_dated" => Class::Create,
            "list" | "list_dated" => Class::List,
            "delete" | "delete_dated" => Class::Delete,
            "create_or_delete" | "create_or_delete_dated" | "create_or_update_or_delete" => {
                rules()?
            }
            "out_of_domain" | "other" => Class::Other,
            "smalltalk" => Class::Smalltalk,
            "help" => Class::Help,
            "confirm_yes" => Class::Yes,
            "confirm_no" => Class::No,
            "confirm_unsure" => Class::Unsure,
            _ => return None,
        })
    }

    /// The classes, dated variants folded in, that are right.
    pub fn accepted(&self) -> &'static [&'static str] {
        match self.action.as_str() {
            "create" | "create_dated" => &["create"],
            "list" | "list_dated" => &["list"],
            "delete" | "delete_dated" => &["delete"],
            "update_dated" => &["update"],
            "create_or_delete" | "create_or_delete_dated" => &["create", "delete"],
            "create_or_update_or_delete" => &["create", "delete", "update"],
            _ => &["none"],
        }
    }
}

/// The class of an intent.
pub fn class(intent: Intent) -> &'static str {
    match intent {
        Intent::TodoCreate => "create",
        Intent::TodoList => "list",
        Intent::TodoDelete | Intent::TodoBulkDelete => "delete",
        Intent::TodoUpdate | Intent::TodoComplete | Intent::TodoReopen => "update",
        _ => "none",
    }
}

/// Right and wrong of the five classes.
#[derive(Debug, Default)]
pub struct Tally {
    counts: BTreeMap<&'static str, [usize; 3]>,
    pub right: usize,
    pub all: usize,
    pub foreign: usize,
    pub acted: usize,
}

impl Tally {
    pub fn add(&mut self, sample: &Sample, intent: Intent) {
        let got = class(intent);
        let accepted = sample.accepted();
        let expected = accepted
            .iter()
            .find(|class| **class == got)
            .unwrap_or(&accepted[0]);
        self.all += 1;
        if *expected == got {
            self.right += 1;
            self.counts.entry(got).or_default()[0] += 1;
        } else {
            self.counts.entry(got).or_default()[1] += 1;
            self.counts.entry(expected).or_default()[2] += 1;
        }
        if sample.action == "out_of_domain" {
            self.foreign += 1;
            self.acted += usize::from(got != "none");
        }
    }

    /// The mean over the classes of the harmonic mean of precision and recall.
    pub fn macro_f1(&self) -> f64 {
        let one = |[hits, extra, missed]: &[usize; 3]| {
            2.0 * *hits as f64 / (2 * hits + extra + missed).max(1) as f64
        };
        self.counts.values().map(one).sum::<f64>() / self.counts.len().max(1) as f64
    }

    pub fn acted_share(&self) -> f64 {
        self.acted as f64 / self.foreign.max(1) as f64
    }

    pub fn print(&self, name: &str) {
        println!(
            "{name}: macro-F1 {:.4}, accuracy {:.4} of {}, out-of-domain acted on {}/{} ({:.1} %)",
            self.macro_f1(),
            self.right as f64 / self.all.max(1) as f64,
            self.all,
            self.acted,
            self.foreign,
            100.0 * self.acted_share()
        );
        for (class, [hits, extra, missed]) in &self.counts {
            println!(
                "  {class}: precision {:.3}, recall {:.3}",
                *hits as f64 / (hits + extra).max(1) as f64,
                *hits as f64 / (hits + missed).max(1) as f64
            );
        }
    }
}

/// What cross-validation gave.
pub struct Crossed {
    /// Trainable rows, each with the model of the other folds; the others with the final model.
    pub all: Tally,
    /// Only the trainable ones.
    pub trainable: Tally,
    /// Only those never trained on.
    pub never: Tally,
    /// Answers while a question waits: what they are, what they were taken for, how many.
    pub answers: BTreeMap<(String, Intent), usize>,
    pub model: Model,
}

fn rows(samples: &[Sample]) -> Vec<(u32, Row)> {
    let row = |sample: &Sample| {
        let class = sample.class()?;
        let features = features(&sample.text);
        Some((sample.fold(), Row { features, class }))
    };
    samples
        .iter()
        .filter(|sample| sample.trainable())
        .filter_map(row)
        .collect()
}

/// The temperature comes from the rows of the folds that each model was not trained on.
fn calibrated(rows: &[(u32, Row)]) -> (Vec<Weights>, f32) {
    let mut chances = Vec::new();
    let mut parts = Vec::new();
    for fold in 0..FOLDS {
        let others: Vec<&Row> = rows
            .iter()
            .filter(|(of, _)| *of != fold)
            .map(|(_, row)| row)
            .collect();
        let weights = train(&others);
        let model = quantise(&weights, 1.0);
        let held_out = rows.iter().filter(|(of, _)| *of == fold);
        chances.extend(held_out.map(|(_, row)| (row.class, model.scores(&row.features).0)));
        parts.push(weights);
    }
    let temperature = temperature(&chances);
    (parts, temperature)
}

/// Trains and measures.
pub fn cross_validate(samples: &[Sample], mut miss: impl FnMut(&Sample, Intent)) -> Crossed {
    let rows = rows(samples);
    let (parts, temperature) = calibrated(&rows);
    let models: Vec<Model> = parts
        .iter()
        .map(|weights| quantise(weights, temperature))
        .collect();
    let every: Vec<&Row> = rows.iter().map(|(_, row)| row).collect();
    let mut crossed = Crossed {
        all: Tally::default(),
        trainable: Tally::default(),
        never: Tally::default(),
        answers: BTreeMap::new(),
        model: quantise(&train(&every), temperature),
    };
    for sample in samples {
        let (model, tally) = if sample.trainable() {
            (&models[sample.fold() as usize], &mut crossed.trainable)
        } else {
            (&crossed.model, &mut crossed.never)
        };
        let intent = verdict(&sample.text, model, false).intent;
        tally.add(sample, intent);
        crossed.all.add(sample, intent);
        if !sample.accepted().contains(&class(intent)) {
            miss(sample, intent);
        }
        if sample.action.starts_with("confirm_") {
            let answer = verdict(&sample.text, model, true).intent;
            *crossed
                .answers
                .entry((sample.action.clone(), answer))
                .or_default() += 1;
        }
    }
    crossed
}
