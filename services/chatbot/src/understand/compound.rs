//! Messages that ask for several things: "add milk and remind me to call Ada tomorrow". They are split only where what
//! follows is certainly another request; "remind me to buy milk and call Ada" is one to-do.

use super::normalise::{self, Word, starts_with};
use super::{Engine, Intent, Situation, Understood, understand};

/// The most requests that one message may hold.
const MOST: usize = 5;
/// How sure the rules must be of each part.
const SURE: f32 = 0.8;
/// Beginnings that are said to the chatbot and cannot go on a title.
const TO_US: &[&str] = &[
    "remind me",
    "set a reminder",
    "set me a reminder",
    "create a task",
    "create a todo",
    "create a reminder",
    "add a task",
    "add a todo",
    "add a reminder",
    "show me my",
    "show my",
    "whats on my",
    "what is on my",
    "list my",
    "delete the task",
    "delete the todo",
    "delete the reminder",
    "delete my",
    "mark",
    "please remind me",
    "also remind me",
    "then remind me",
    "please add",
    "please mark",
    "how many",
];
/// Words that join requests.
const JOINTS: &[&str] = &["and then", "and also", "and", "then", "also"];

/// The requests of a message, each as it would be understood alone.
pub(super) fn read(message: &str, situation: &Situation) -> Vec<Understood> {
    let mut parts = Vec::new();
    let mut rest = message;
    while parts.len() + 1 < MOST {
        let Some((first, after)) = split(rest, situation) else {
            break;
        };
        parts.push(first);
        rest = after;
    }
    parts.push(understand(rest, situation));
    parts
}

/// The first request and the text after it.
fn split<'m>(message: &'m str, situation: &Situation) -> Option<(Understood, &'m str)> {
    let words = normalise::words(message);
    let texts = normalise::texts(&words);
    (1..words.len()).find_map(|at| {
        let (cut, next) = boundary(message, &words, &texts, at)?;
        let (left, right) = (&message[..cut], &message[words[next].span.start..]);
        let quoted = left.matches('"').count() % 2 == 1;
        if quoted || !may_begin(&texts, next) {
            return None;
        }
        let (first, second) = (understand(left, situation), understand(right, situation));
        let ours = TO_US
            .iter()
            .any(|phrase| starts_with(&texts[next..], phrase).is_some());
        let open = first.intent == Intent::TodoCreate && !ours && !same_verb(&texts, next);
        (!open && whole(&first) && whole(&second)).then_some((first, right))
    })
}

/// "add milk and add eggs": the verb said again begins another request.
fn same_verb(texts: &[&str], next: usize) -> bool {
    texts[0] == texts[next] && matches!(texts[0], "add" | "create" | "put" | "remind" | "set")
}

/// The end of the left part and the first word of the right one, when requests may be joined before word `at`.
fn boundary(message: &str, words: &[Word], texts: &[&str], at: usize) -> Option<(usize, usize)> {
    let before = words[at - 1].span.end;
    let joint = JOINTS
        .iter()
        .filter_map(|joint| starts_with(&texts[at..], joint))
        .max();
    if let Some(length) = joint {
        return (at + length < words.len()).then_some((before, at + length));
    }
    let between = &message[before..words[at].span.start];
    let ends = between.contains(['.', ';', '\n', '!']) && between.contains(char::is_whitespace);
    ends.then_some((before, at))
}

/// Words that begin a command.
fn may_begin(texts: &[&str], next: usize) -> bool {
    use super::lexicon::{ADD_VERBS, DELETE_VERBS, MAKE_VERBS, OPENERS, QUESTIONS, SHOW_VERBS};
    let word = texts[next];
    let verbs = [
        ADD_VERBS,
        DELETE_VERBS,
        MAKE_VERBS,
        QUESTIONS,
        SHOW_VERBS,
        OPENERS,
    ];
    verbs.iter().any(|verbs| verbs.contains(&word))
        || matches!(
            word,
            "remind"
                | "mark"
                | "complete"
                | "check"
                | "move"
                | "rename"
                | "reschedule"
                | "postpone"
                | "assign"
                | "reopen"
                | "finish"
                | "tick"
        )
}

/// Understood by the rules, surely, and with all that it needs.
fn whole(part: &Understood) -> bool {
    let slots = &part.slots;
    let complete = match part.intent {
        Intent::TodoCreate => slots.title.is_some(),
        Intent::TodoComplete | Intent::TodoReopen | Intent::TodoDelete => {
            slots.mention.is_some() || slots.all
        }
        Intent::TodoUpdate => slots.mention.is_some(),
        Intent::TodoList
        | Intent::TodoBulkDelete
        | Intent::LeadCount
        | Intent::DealSum
        | Intent::MetricsQuery => true,
        Intent::LeadCreate => slots.name.is_some(),
        Intent::DealMove | Intent::LeadUpdate => slots.mention.is_some() && slots.stage.is_some(),
        _ => false,
    };
    complete && part.engine == Engine::Rules && part.confidence >= SURE
}
