//! When a user is asked first. Outside any model: nothing that a model says can switch it off.

use super::Action;
use crate::understand::Understood;

/// Whether `action` waits for a yes: everything that deletes, everything that changes more than one record, runs of agents,
/// everything that a model proposed, and everything the rules are not sure of.
pub(super) fn asks_first(action: &Action, understood: &Understood) -> bool {
    let runs_others = matches!(action, Action::RunAgent { .. });
    action.deletes() || runs_others || action.count() > 1 || !understood.is_certain()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::TodoFields;
    use crate::understand::{Engine, Intent, Language, Slots};

    fn understood(engine: Engine, confidence: f32) -> Understood {
        Understood {
            intent: Intent::TodoCreate,
            slots: Slots::default(),
            confidence,
            engine,
            language: Language::En,
        }
    }

    #[test]
    fn only_a_certain_harmless_single_action_runs_at_once() {
        let create = Action::CreateTodo {
            fields: TodoFields::default(),
        };
        assert!(!asks_first(&create, &understood(Engine::Rules, 0.9)));
        assert!(asks_first(&create, &understood(Engine::Rules, 0.6)));
        assert!(asks_first(&create, &understood(Engine::Llm, 1.0)));
        assert!(asks_first(
            &Action::DeleteTodos { todos: vec![] },
            &understood(Engine::Rules, 1.0)
        ));
    }
}
