//! Having an agent do something.

use super::{Found, Message};
use crate::understand::{Intent, Slots};

/// What agents and crews are called.
const KINDS: &[&str] = &[
    "agent",
    "crew",
    "qualifier",
    "writer",
    "analyst",
    "adviser",
    "advisor",
    "researcher",
    "planner",
    "assistant",
    "guide",
    "workflow",
    "strategist",
    "reviewer",
    "optimizer",
    "optimiser",
    "scout",
    "summarizer",
    "summariser",
];

/// "run the lead qualifier agent", "ask the SEO adviser to check our site", "start the report writer".
pub(super) fn read(message: &Message<'_>, command: &[&str], start: usize) -> Option<Found> {
    let runs = matches!(
        command[0],
        "run" | "start" | "launch" | "trigger" | "execute" | "kick"
    );
    let asks = matches!(command[0], "ask" | "have" | "let" | "use" | "tell");
    let kind = command
        .iter()
        .take(8)
        .rposition(|word| KINDS.contains(word))
        .filter(|at| *at > 0)?;
    let skip = command[1..kind]
        .iter()
        .take_while(|word| matches!(**word, "the" | "my" | "our" | "a" | "an" | "off"))
        .count();
    // "ask my assistant to ..." names nobody in particular; "ask the campaign analyst to ..." does.
    let named = kind > 1 + skip;
    let article = skip > 0 || runs;
    if !(runs || asks && article)
        || !(named || command[kind] == "agent" && command.len() > kind + 1)
    {
        return None;
    }
    let (from, to) = if named {
        (
            start + 1 + skip,
            start + kind + usize::from(!matches!(command[kind], "agent" | "crew" | "workflow")),
        )
    } else {
        (start + kind + 1, start + command.len())
    };
    let rest = command.get(kind + 1).filter(|_| named).copied();
    let task = matches!(rest, Some("to" | "on" | "for" | "with" | "about"))
        .then(|| message.written(start + kind + 2, start + command.len()))
        .flatten();
    let slots = Slots {
        agent: message.written(from, to),
        title: task,
        ..Slots::default()
    };
    Some(Found::new(Intent::AgentRun, slots, 0.85))
}
