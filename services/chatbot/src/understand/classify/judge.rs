//! The rules and the classifier together: the classifier speaks where the rules are silent, and may overrule them when it is
//! sure and they are about to do something with a message that is not for us.

use super::{Class, Scores};
use crate::understand::intent::Reading;
use crate::understand::{Engine, Intent};

/// How sure the classifier must be to speak where the rules are silent.
const SPEAK: f32 = 0.45;
/// How sure it must be to put another intent in place of the rules'.
const OVERRULE: f32 = 0.7;
/// How sure it must be that a message is not for us, against rules that are not sure themselves.
const VETO: f32 = 0.6;
/// The same against rules that are sure.
const VETO_SURE: f32 = 0.9;
/// How sure it must be of an answer; a wrong yes is worse than another question.
const ANSWER: f32 = 0.6;
const YES: f32 = 0.9;
const NO: f32 = 0.75;
/// How sure it must be to change something at once; below it asks.
const ACT: f32 = 0.9;
/// The confidence of what is asked about.
const ASK: f32 = 0.65;
/// What the rules are sure of.
const SURE: f32 = 0.85;

/// What a message is taken for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// The intent.
    pub intent: Intent,
    /// From 0 to 1.
    pub confidence: f32,
    /// Who decided.
    pub engine: Engine,
}

/// Decides between what the rules read and what the classifier finds probable.
pub(crate) fn judge(reading: &Reading, scores: &Scores, asked: bool) -> Verdict {
    let rules = Verdict {
        intent: reading.intent,
        confidence: reading.confidence,
        engine: Engine::Rules,
    };
    let (best, chance) = scores.best();
    match reading.intent {
        Intent::None if asked => answer(scores).or_else(|| silent(scores)).unwrap_or(rules),
        Intent::None => silent(scores).unwrap_or(rules),
        Intent::TodoCreate | Intent::TodoList | Intent::TodoDelete => {
            // A sure rule about a thing that only we have is not overruled.
            let certain = reading.own && reading.confidence >= SURE;
            if certain || best.intent() == reading.intent {
                return rules;
            }
            let foreign = not_for_us(scores);
            let needed = if reading.confidence >= SURE {
                VETO_SURE
            } else {
                VETO
            };
            if foreign >= needed {
                return by_classifier(Intent::None, foreign);
            }
            let command = matches!(best, Class::Create | Class::List | Class::Delete);
            let asked = reading.question && reading.intent == Intent::TodoList;
            if command && !asked && chance >= OVERRULE {
                return by_classifier(best.intent(), chance);
            }
            rules
        }
        _ => rules,
    }
}

fn by_classifier(intent: Intent, chance: f32) -> Verdict {
    let changes = matches!(intent, Intent::TodoCreate | Intent::TodoDelete);
    let confidence = if changes && chance < ACT {
        chance.min(ASK)
    } else {
        chance
    };
    Verdict {
        intent,
        confidence,
        engine: Engine::Classifier,
    }
}

/// A question waits: what sounds like an answer is one. A wrong yes is worse than asking again.
fn answer(scores: &Scores) -> Option<Verdict> {
    let chances = [Class::Yes, Class::No, Class::Unsure].map(|class| (class, scores.of(class)));
    let sum: f32 = chances.iter().map(|(_, chance)| chance).sum();
    let (best, chance) = chances.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let share = chance / sum.max(f32::EPSILON);
    let clear = match best {
        Class::Yes => sum >= 0.7 && share >= 0.9,
        Class::No => chance >= 0.5 && share >= 0.75,
        _ => sum >= 0.35 && share >= 0.6,
    };
    clear.then(|| by_classifier(best.intent(), chance))
}

/// The rules found nothing.
fn silent(scores: &Scores) -> Option<Verdict> {
    let (best, chance) = scores.best();
    let needed = match best {
        Class::Create | Class::List | Class::Delete => SPEAK,
        Class::Yes => YES,
        Class::No => NO,
        Class::Unsure | Class::Help | Class::Smalltalk => ANSWER,
        Class::Other => return None,
    };
    (chance >= needed).then(|| by_classifier(best.intent(), chance))
}

fn not_for_us(scores: &Scores) -> f32 {
    1.0 - scores.of(Class::Create) - scores.of(Class::List) - scores.of(Class::Delete)
}
