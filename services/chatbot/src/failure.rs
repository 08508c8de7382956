//! What went wrong with a part of the platform while an answer was looked for.

use bz_http::client::SiblingError;

use crate::crm::CrmError;

/// The parts of the platform that answers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Crm,
    Analytics,
    Agents,
    Identity,
}

impl Part {
    /// Its name in `degraded`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Crm => "crm",
            Self::Analytics => "analytics",
            Self::Agents => "agents",
            Self::Identity => "identity",
        }
    }
}

/// Why a part did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) part: Part,
    pub(crate) why: CrmError,
}

impl Failure {
    /// What a failed call to a part means.
    pub(crate) fn of(part: Part) -> impl Fn(SiblingError) -> Self {
        move |error| Self {
            part,
            why: error.into(),
        }
    }
}

impl From<CrmError> for Failure {
    fn from(why: CrmError) -> Self {
        Self {
            part: Part::Crm,
            why,
        }
    }
}
