//! Carrying an action out in the CRM. Each call has an idempotency key made from the message that asked for it, and names
//! the version that was decided on, so that a repeated message changes nothing twice and a changed record is left alone.

use super::{Action, Target};
use crate::crm::{CrmError, Session};

/// What became of an action.
#[derive(Debug)]
pub(crate) struct Performed {
    /// The part that was done; `None` when nothing was.
    pub(crate) done: Option<Action>,
    /// Why the rest was not.
    pub(crate) error: Option<CrmError>,
}

impl Performed {
    fn of(action: Action, result: Result<(), CrmError>) -> Self {
        match result {
            Ok(()) => Self {
                done: Some(action),
                error: None,
            },
            Err(error) => Self {
                done: None,
                error: Some(error),
            },
        }
    }
}

/// Does it.
pub(crate) async fn perform(action: Action, crm: &Session<'_>) -> Performed {
    match action {
        Action::CreateTodo { ref title, due } => {
            let result = crm.create(title, due).await;
            Performed::of(action, result)
        }
        Action::RenameTodo {
            ref todo,
            ref new_title,
        } => {
            let result = crm.rename(todo, new_title).await;
            Performed::of(action, result)
        }
        Action::RescheduleTodo { ref todo, due } => {
            let result = crm.reschedule(todo, due).await;
            Performed::of(action, result)
        }
        Action::CompleteTodos { todos } => {
            let (todos, error) = each(todos, crm, Change::Complete).await;
            some(todos, error, |todos| Action::CompleteTodos { todos })
        }
        Action::DeleteTodos { todos } => {
            let (todos, error) = each(todos, crm, Change::Delete).await;
            some(todos, error, |todos| Action::DeleteTodos { todos })
        }
    }
}

/// What happens to each of several.
#[derive(Clone, Copy)]
enum Change {
    Complete,
    Delete,
}

/// Does the same to each, and stops at the first that fails.
async fn each(
    todos: Vec<Target>,
    crm: &Session<'_>,
    change: Change,
) -> (Vec<Target>, Option<CrmError>) {
    let mut done = Vec::with_capacity(todos.len());
    for todo in todos {
        let result = match change {
            Change::Complete => crm.complete(&todo).await,
            Change::Delete => crm.delete(&todo).await,
        };
        match result {
            Ok(()) => done.push(todo),
            Err(error) => return (done, Some(error)),
        }
    }
    (done, None)
}

fn some(
    todos: Vec<Target>,
    error: Option<CrmError>,
    action: impl FnOnce(Vec<Target>) -> Action,
) -> Performed {
    Performed {
        done: (!todos.is_empty()).then(|| action(todos)),
        error,
    }
}
