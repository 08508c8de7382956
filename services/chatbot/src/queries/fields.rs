//! What a question may look at: for each type of record the fields, and how each may be compared. Whatever is not here cannot
//! be asked for, whoever put the question into words; what a user may read of it is the CRM's to decide.

use crate::crm::Kind;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Text.
    Text,
    /// A day or an instant.
    Time,
    /// When a to-do is due: in one field as a day, in another as an instant.
    Due,
    /// An amount of money.
    Money,
    /// A whole number.
    Number,
    /// The id of a user, a stage or a record.
    Id,
}

/// A field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) holds: Holds,
}

const fn field(name: &'static str, holds: Holds) -> Field {
    Field { name, holds }
}

/// The states of a to-do.
pub(crate) const TODO_STATES: &[&str] = &["open", "in_progress", "done", "cancelled"];
/// The states of a to-do that is still to be done.
pub(crate) const TODO_OPEN: &[&str] = &["open", "in_progress"];
/// The states of a lead.
pub(crate) const LEAD_STATES: &[&str] = &[
    "new",
    "working",
    "nurturing",
    "qualified",
    "unqualified",
    "converted",
];
/// The states of a lead that may still become a customer.
pub(crate) const LEAD_OPEN: &[&str] = &["new", "working", "nurturing", "qualified"];
/// The states of a deal.
pub(crate) const DEAL_STATES: &[&str] = &["open", "won", "lost"];
/// The priorities of a to-do.
const PRIORITIES: &[&str] = &["low", "normal", "high", "urgent"];

const TODO: &[Field] = &[
    field("id", Holds::Id),
    field("title", Holds::Text),
    field("status", Holds::OneOf(TODO_STATES)),
    field("priority", Holds::OneOf(PRIORITIES)),
    field("due", Holds::Due),
    field("owner_id", Holds::Id),
    field("created_at", Holds::Time),
    field("completed_at", Holds::Time),
];
const LEAD: &[Field] = &[
    field("id", Holds::Id),
    field("status", Holds::OneOf(LEAD_STATES)),
    field("company_name", Holds::Text),
    field("source", Holds::Text),
    field("score", Holds::Number),
    field("owner_id", Holds::Id),
    field("created_at", Holds::Time),
    field("last_activity_at", Holds::Time),
];
const CONTACT: &[Field] = &[
    field("id", Holds::Id),
    field("company_id", Holds::Id),
    field("owner_id", Holds::Id),
    field("created_at", Holds::Time),
];
const DEAL: &[Field] = &[
    field("id", Holds::Id),
    field("name", Holds::Text),
    field("status", Holds::OneOf(DEAL_STATES)),
    field("stage_id", Holds::Id),
    field("company_id", Holds::Id),
    field("amount", Holds::Money),
    field("owner_id", Holds::Id),
    field("created_at", Holds::Time),
    field("closed_at", Holds::Time),
    field("expected_close_date", Holds::Time),
];

/// The fields of a type of record.
pub(crate) const fn of(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::Todo => TODO,
        Kind::Lead => LEAD,
        Kind::Contact => CONTACT,
        Kind::Deal => DEAL,
    }
}

/// A field of a type of record.
pub(crate) fn find(kind: Kind, name: &str) -> Option<Field> {
    of(kind).iter().copied().find(|field| field.name == name)
}
