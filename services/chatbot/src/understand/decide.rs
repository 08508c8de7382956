//! What would be done about a request, given the to-dos that there are. Pure, and outside any model: destructive requests
//! always wait for a yes, unclear ones ask.

use super::target::{Resolution, resolve};
use super::{Intent, Slots, Understood, Would};

/// A to-do, as far as it matters for the question which one is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its title.
    pub title: String,
    /// Whether it is done.
    pub completed: bool,
}

/// Decides, and fills `target` with the title of the one record that is meant. `None` when it is not clear which one.
#[must_use]
pub fn decide(understood: &mut Understood, todos: &[Candidate]) -> Would {
    understood.slots.target = None;
    let would = match understood.intent {
        Intent::TodoCreate => known(understood.slots.title.is_some()),
        Intent::TodoComplete if understood.slots.all => Would::Confirm,
        Intent::TodoComplete | Intent::TodoReopen => one(&mut understood.slots, todos, |todo| {
            todo.completed == (understood.intent == Intent::TodoReopen)
        }),
        Intent::TodoUpdate => update(&mut understood.slots, todos),
        Intent::TodoDelete => match one(&mut understood.slots, todos, |_| true) {
            Would::Act => Would::Confirm,
            other => other,
        },
        Intent::TodoBulkDelete | Intent::AgentRun => Would::Confirm,
        Intent::LeadCreate => {
            known(understood.slots.name.is_some() || understood.slots.email.is_some())
        }
        Intent::LeadUpdate | Intent::DealMove => {
            understood
                .slots
                .target
                .clone_from(&understood.slots.mention);
            known(understood.slots.mention.is_some() && understood.slots.stage.is_some())
        }
        Intent::MetricsQuery if understood.slots.metric.is_none() => Would::Ask,
        Intent::TodoList
        | Intent::LeadFind
        | Intent::LeadCount
        | Intent::DealFind
        | Intent::DealSum
        | Intent::ContactFind
        | Intent::MetricsQuery
        | Intent::Help
        | Intent::Smalltalk => Would::Answer,
        Intent::ConfirmYes | Intent::ConfirmNo | Intent::ConfirmUnsure | Intent::None => {
            Would::Nothing
        }
    };
    if would == Would::Act && !understood.is_certain() {
        Would::Confirm
    } else {
        would
    }
}

const fn known(complete: bool) -> Would {
    if complete { Would::Act } else { Would::Ask }
}

/// The one to-do that is meant, among those that `fit`.
fn one(slots: &mut Slots, todos: &[Candidate], fit: impl Fn(&Candidate) -> bool) -> Would {
    let Some(mention) = slots.mention.as_deref() else {
        return Would::Ask;
    };
    let titles: Vec<&str> = todos
        .iter()
        .filter(|todo| fit(todo))
        .map(|todo| todo.title.as_str())
        .collect();
    if let Resolution::One(at) = resolve(mention, &titles) {
        slots.target = titles.get(at).map(|title| (*title).to_owned());
    }
    known(slots.target.is_some())
}

fn update(slots: &mut Slots, todos: &[Candidate]) -> Would {
    let found = one(slots, todos, |todo| !todo.completed);
    let changes = slots.new_title.is_some()
        || slots.due_at.is_some()
        || slots.due_date.is_some()
        || slots.recurrence.is_some()
        || slots.priority.is_some()
        || slots.assignee.is_some();
    if changes { found } else { Would::Ask }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::understand::{Engine, Language};

    fn understood(intent: Intent, mention: &str) -> Understood {
        Understood {
            intent,
            slots: Slots {
                mention: Some(mention.to_owned()),
                ..Slots::default()
            },
            confidence: 0.9,
            engine: Engine::Rules,
            language: Language::En,
        }
    }

    fn todos() -> Vec<Candidate> {
        [
            ("call Ada", false),
            ("sales report", false),
            ("tax report", false),
            ("buy milk", true),
        ]
        .map(|(title, completed)| Candidate {
            title: title.to_owned(),
            completed,
        })
        .into()
    }

    #[test]
    fn one_that_is_meant_is_named_and_two_are_asked_about() {
        for (intent, mention, would, target) in [
            (
                Intent::TodoComplete,
                "ada call",
                Would::Act,
                Some("call Ada"),
            ),
            (Intent::TodoComplete, "report", Would::Ask, None),
            (Intent::TodoComplete, "buy milk", Would::Ask, None),
            (Intent::TodoReopen, "milk", Would::Act, Some("buy milk")),
            (
                Intent::TodoDelete,
                "call Ada",
                Would::Confirm,
                Some("call Ada"),
            ),
            (
                Intent::TodoDelete,
                "buy milk",
                Would::Confirm,
                Some("buy milk"),
            ),
            (Intent::TodoDelete, "dentist", Would::Ask, None),
            (Intent::TodoUpdate, "call Ada", Would::Ask, Some("call Ada")),
        ] {
            let mut asked = understood(intent, mention);
            assert_eq!(decide(&mut asked, &todos()), would, "{intent:?} {mention}");
            assert_eq!(
                asked.slots.target.as_deref(),
                target,
                "{intent:?} {mention}"
            );
        }
    }

    #[test]
    fn what_is_not_certain_waits_for_a_yes() {
        let mut unsure = understood(Intent::TodoComplete, "call Ada");
        unsure.confidence = 0.6;
        assert_eq!(decide(&mut unsure, &todos()), Would::Confirm);
        let mut model = understood(Intent::TodoComplete, "call Ada");
        model.engine = Engine::Llm;
        assert_eq!(decide(&mut model, &todos()), Would::Confirm);
        let mut bulk = understood(Intent::TodoBulkDelete, "");
        assert_eq!(decide(&mut bulk, &todos()), Would::Confirm);
    }
}
