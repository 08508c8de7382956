//! The keys of the catalogue: what can be said. A test compares them with the files of the languages, which also have
//! messages that only other messages name.

/// A message of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(pub(super) &'static str);

macro_rules! keys {
    ($($name:ident = $id:literal,)*) => {
        $(pub(crate) const $name: Key = Key($id);)*

        /// All of them.
        #[cfg(test)]
        pub(super) const ALL: &[Key] = &[$($name),*];
    };
}

keys! {
    // Talk
    GREETING = "greeting",
    HELP = "help",
    UNKNOWN = "unknown",
    YES = "yes",
    NO = "no",
    UNDO = "undo",
    SUGGESTIONS = "suggestions",

    // Questions back
    NO_TITLE = "no-title",
    NO_CHANGE = "no-change",
    NO_TARGET = "no-target",
    NO_MATCH = "no-match",
    WHICH_TODO = "which-todo",
    TOO_MANY = "too-many",
    NOBODY_CALLED = "nobody-called",
    WHOM = "whom",
    OR = "or",

    // Yes and no
    QUESTION = "question",
    CHANGED_MEANWHILE = "changed-meanwhile",
    ONE_QUESTION = "one-question",
    NOTHING_TO_CONFIRM = "nothing-to-confirm",
    CONFIRMATION_EXPIRED = "confirmation-expired",
    REJECTED = "rejected",
    NOTHING_TO_UNDO = "nothing-to-undo",
    NOTHING_TO_DO = "nothing-to-do",
    UNDONE = "undone",

    // What is asked about: with a question mark after it
    ASK_TODO_CREATE = "ask-todo-create",
    ASK_TODO_COMPLETE = "ask-todo-complete",
    ASK_TODO_REOPEN = "ask-todo-reopen",
    ASK_TODO_UPDATE = "ask-todo-update",
    ASK_TODO_DELETE = "ask-todo-delete",
    ASK_LEAD_CREATE = "ask-lead-create",
    ASK_LEAD_UPDATE = "ask-lead-update",
    ASK_DEAL_MOVE = "ask-deal-move",
    ASK_AGENT_RUN = "ask-agent-run",

    // What was done
    DONE_TODO_CREATE = "done-todo-create",
    DONE_TODO_COMPLETE = "done-todo-complete",
    DONE_TODO_REOPEN = "done-todo-reopen",
    DONE_TODO_UPDATE = "done-todo-update",
    DONE_TODO_RENAMED = "done-todo-renamed",
    DONE_TODO_MOVED = "done-todo-moved",
    DONE_TODO_CHANGED = "done-todo-changed",
    DONE_TODO_DELETE = "done-todo-delete",
    DONE_LEAD_CREATE = "done-lead-create",
    DONE_LEAD_UPDATE = "done-lead-update",
    DONE_DEAL_MOVE = "done-deal-move",
    DONE_AGENT_RUN = "done-agent-run",
    DONE_PARTLY = "done-partly",

    // To-dos and what changes about them
    ONE_TODO = "one-todo",
    MANY_TODOS = "many-todos",
    CHANGE_TITLE = "change-title",
    CHANGE_DUE = "change-due",
    CHANGE_RECURRENCE = "change-recurrence",
    CHANGE_PRIORITY = "change-priority",
    CHANGE_ASSIGNEE = "change-assignee",
    YOU = "you",

    // Lists
    TODOS_NONE = "todos-none",
    TODOS_SOME = "todos-some",
    DUE_ON = "due-on",
    DUE_BETWEEN = "due-between",
    WITH_PRIORITY = "with-priority",
    WITH_TEXT = "with-text",
    FOR_YOU = "for-you",
    FOR_NOBODY = "for-nobody",
    FOR_PERSON = "for-person",
    LINE_DUE = "line-due",
    LINE_DONE = "line-done",
    MORE = "more",

    // Days
    MOMENT = "moment",
    DAY_YESTERDAY = "day-yesterday",
    DAY_TODAY = "day-today",
    DAY_TOMORROW = "day-tomorrow",
    DATE = "date",

    // What could not be done
    FAILED_UNKNOWN = "failed-unknown",
    FAILED_UNREACHABLE = "failed-unreachable",
    FAILED_FORBIDDEN = "failed-forbidden",
    FAILED_GONE = "failed-gone",
    FAILED_CHANGED = "failed-changed",
    FAILED_NO_AGENT = "failed-no-agent",
    FAILED_REFUSED = "failed-refused",

    // Dry runs
    WOULD_NOTHING = "would-nothing",
    WOULD_ASK = "would-ask",
    WOULD_ANSWER = "would-answer",
    WOULD_CREATE = "would-create",
    WOULD_CREATE_DUE = "would-create-due",
    WOULD_CONFIRM = "would-confirm",
    WOULD_CONFIRM_TITLE = "would-confirm-title",
    WOULD_ACT = "would-act",
    WOULD_ACT_TITLE = "would-act-title",

    // Documents
    PASSAGE = "passage",
}
