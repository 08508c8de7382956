//! A small classifier for what the rules do not know, and against what they wrongly think they know: multinomial logistic
//! regression over hashed words and pieces of words, one byte a weight. It is trained by `examples/train_intents` on public
//! corpora (see NOTICE) and can be wrong: what it proposes alone is only acted on at once when it is very sure.

mod features;
mod judge;

use std::sync::LazyLock;

use chrono::NaiveDateTime;

use super::Intent;
use super::intent::Reading;

pub use features::Features;
pub use judge::Verdict;

/// How many different features the model tells apart.
pub const BUCKETS: u32 = 1 << 15;

/// The first bytes of the weights.
const MAGIC: &[u8; 8] = b"BZINTEN1";
/// The trained weights.
static WEIGHTS: &[u8] = include_bytes!("intents.bin");
static MODEL: LazyLock<Option<Model>> = LazyLock::new(|| Model::read(WEIGHTS));

/// What the classifier can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// A new to-do, alarm or appointment.
    Create,
    /// To see them.
    List,
    /// To delete some.
    Delete,
    /// Nothing of this product.
    Other,
    /// An answer to a question.
    Yes,
    /// An answer to a question.
    No,
    /// An answer to a question.
    Unsure,
    /// To know what can be asked.
    Help,
    /// Talk.
    Smalltalk,
}

impl Class {
    /// All, in the order of the weights.
    pub const ALL: [Self; 9] = [
        Self::Create,
        Self::List,
        Self::Delete,
        Self::Other,
        Self::Yes,
        Self::No,
        Self::Unsure,
        Self::Help,
        Self::Smalltalk,
    ];

    /// The intent that it stands for.
    #[must_use]
    pub const fn intent(self) -> Intent {
        match self {
            Self::Create => Intent::TodoCreate,
            Self::List => Intent::TodoList,
            Self::Delete => Intent::TodoDelete,
            Self::Other => Intent::None,
            Self::Yes => Intent::ConfirmYes,
            Self::No => Intent::ConfirmNo,
            Self::Unsure => Intent::ConfirmUnsure,
            Self::Help => Intent::Help,
            Self::Smalltalk => Intent::Smalltalk,
        }
    }
}

/// Calibrated probabilities of the classes, in the order of [`Class::ALL`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores(pub [f32; Class::ALL.len()]);

impl Scores {
    /// The probability of a class.
    #[must_use]
    pub fn of(&self, class: Class) -> f32 {
        self.0[class as usize]
    }

    /// The most probable class.
    #[must_use]
    pub fn best(&self) -> (Class, f32) {
        let mut best = (Class::Other, f32::NEG_INFINITY);
        for (class, score) in Class::ALL.into_iter().zip(self.0) {
            if score > best.1 {
                best = (class, score);
            }
        }
        best
    }
}

/// The weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Divides the sums before they become probabilities, so that these are as often right as they say.
    pub temperature: f32,
    /// The sum that a class starts from.
    pub bias: [f32; Class::ALL.len()],
    /// What one step of a weight of a class is worth.
    pub scale: [f32; Class::ALL.len()],
    /// Class after class, bucket after bucket.
    pub weights: Vec<i8>,
}

impl Model {
    /// Probabilities for features.
    #[must_use]
    pub fn scores(&self, features: &Features) -> Scores {
        let mut sums = [0.0_f32; Class::ALL.len()];
        let norm = 1.0 / (features.text.len().max(1) as f32).sqrt();
        for (class, sum) in sums.iter_mut().enumerate() {
            let offset = class * BUCKETS as usize;
            let total = |buckets: &[u32]| -> i32 {
                buckets
                    .iter()
                    .filter_map(|bucket| self.weights.get(offset + *bucket as usize))
                    .map(|weight| i32::from(*weight))
                    .sum()
            };
            let value = total(&features.text) as f32 * norm + total(&features.hint) as f32;
            *sum = (self.bias[class] + self.scale[class] * value) / self.temperature;
        }
        Scores(softmax(sums))
    }

    /// The weights as bytes.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.temperature.to_le_bytes());
        for number in self.bias.iter().chain(&self.scale) {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.weights.iter().map(|weight| weight.cast_unsigned()));
        bytes
    }

    /// The weights from bytes; none when they are not ours.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(MAGIC)?;
        let mut number = || {
            let (head, tail) = rest.split_first_chunk::<4>()?;
            rest = tail;
            Some(f32::from_le_bytes(*head))
        };
        let temperature = number()?;
        let mut bias = [0.0; Class::ALL.len()];
        let mut scale = [0.0; Class::ALL.len()];
        for slot in bias.iter_mut().chain(&mut scale) {
            *slot = number()?;
        }
        let weights: Vec<i8> = rest.iter().map(|byte| byte.cast_signed()).collect();
        (weights.len() == Class::ALL.len() * BUCKETS as usize).then_some(Self {
            temperature,
            bias,
            scale,
            weights,
        })
    }
}

/// Sums to probabilities.
#[must_use]
pub fn softmax(sums: [f32; Class::ALL.len()]) -> [f32; Class::ALL.len()] {
    let most = sums.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers = sums.map(|sum| (sum - most).exp());
    let total: f32 = powers.iter().sum();
    powers.map(|power| power / total)
}

/// The features of a message.
#[must_use]
pub fn features(message: &str) -> Features {
    of_reading(message, &super::intent::read(message))
}

fn of_reading(message: &str, reading: &Reading) -> Features {
    let words = super::normalise::words(message);
    let texts = super::normalise::texts(&words);
    let name = format!("{:?}", reading.intent);
    features::extract(&texts, &name, reading.confidence >= 0.85)
}

/// What the rules alone take a message for.
#[must_use]
pub fn rules(message: &str) -> Intent {
    super::intent::read(message).intent
}

/// What a message is taken for with a given model, for measuring models.
#[must_use]
pub fn verdict(message: &str, model: &Model, asked: bool) -> Verdict {
    // What is said about other records needs no clock to be told apart.
    if let Some(found) = super::records::read(message, NaiveDateTime::MIN) {
        return Verdict {
            intent: found.intent,
            confidence: found.confidence,
            engine: super::Engine::Rules,
        };
    }
    let reading = super::intent::read(message);
    judge::judge(
        &reading,
        &model.scores(&of_reading(message, &reading)),
        asked,
    )
}

/// What a message that the rules read so is taken for.
pub(super) fn judged(message: &str, reading: &Reading, asked: bool) -> Option<Verdict> {
    if super::normalise::words(message).is_empty() {
        return None;
    }
    let model = MODEL.as_ref()?;
    let scores = model.scores(&of_reading(message, reading));
    Some(judge::judge(reading, &scores, asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_weights_are_read_and_stay_small() {
        let model = Model::read(WEIGHTS).expect("the weights are ours");
        assert!(WEIGHTS.len() <= 500_000);
        assert_eq!(model.write(), WEIGHTS);
        assert!(Model::read(&WEIGHTS[1..]).is_none());
        assert!(Model::read(&WEIGHTS[..WEIGHTS.len() - 1]).is_none());
    }

    #[test]
    fn probabilities_add_up_to_one() {
        let model = Model::read(WEIGHTS).expect("the weights are ours");
        for message in ["", "put milk on the list", "\u{1f600}"] {
            let sum: f32 = model.scores(&features(message)).0.iter().sum();
            assert!((sum - 1.0).abs() < 1e-4, "{message}: {sum}");
        }
    }
}
