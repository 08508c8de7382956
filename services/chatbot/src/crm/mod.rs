//! The CRM, over HTTP, with the user's own token: the chatbot may do there what its user may do, and nothing else.

mod client;
mod error;
mod records;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(crate) use client::{Change, Crm, Listed, Session};
pub(crate) use error::CrmError;
pub(crate) use records::{Board, Deal, Lead, Money, Pipeline, Stage, Todo};

bz_kernel::typed_id!(
    /// A record of the CRM, of any type.
    RecordId
);

/// The types of records that can be talked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Something to do.
    Todo,
    /// A potential customer.
    Lead,
    /// A person.
    Contact,
    /// A possible sale.
    Deal,
}

impl Kind {
    /// Its part of a path.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Todo => "todos",
            Self::Lead => "leads",
            Self::Contact => "contacts",
            Self::Deal => "deals",
        }
    }

    /// What people call one.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Todo => "to-do",
            Self::Lead => "lead",
            Self::Contact => "contact",
            Self::Deal => "deal",
        }
    }
}

/// A record that an answer is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Link {
    /// Its type.
    pub(crate) r#type: Kind,
    /// Its id in the CRM.
    pub(crate) id: RecordId,
    /// Its title or name.
    pub(crate) title: String,
    /// Where the CRM has it.
    #[schema(example = "/api/todos/0195f3a0-0000-7000-8000-000000000000")]
    pub(crate) href: String,
}

impl Link {
    /// The link to a record.
    pub(crate) fn to(kind: Kind, id: RecordId, title: &str) -> Self {
        Self {
            r#type: kind,
            id,
            title: title.to_owned(),
            href: format!("/api/{}/{id}", kind.path()),
        }
    }
}
