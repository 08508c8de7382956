//! Typed ids. One type per thing, so that a lead's id cannot be handed in where a to-do's is meant.

use uuid::Uuid;

/// Declares a typed id: a UUIDv7 in its own type, serialised as its hyphenated text.
#[macro_export]
macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[schema(value_type = uuid::Uuid)]
        #[serde(transparent)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// Wraps an id that a store read or a path named.
            #[must_use]
            pub const fn from_uuid(id: uuid::Uuid) -> Self {
                Self(id)
            }

            /// The bare id, for a store.
            #[must_use]
            pub const fn as_uuid(self) -> uuid::Uuid {
                self.0
            }
        }

        impl From<uuid::Uuid> for $name {
            fn from(id: uuid::Uuid) -> Self {
                Self(id)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

typed_id!(
    /// A person with a password in a home tenant.
    UserId
);
typed_id!(
    /// A login that has not ended; the unit of revocation.
    SessionId
);
typed_id!(
    /// A role that a tenant made for itself.
    RoleId
);
typed_id!(
    /// A potential customer in the CRM.
    LeadId
);
typed_id!(
    /// A team of a tenant's users.
    TeamId
);
typed_id!(
    /// A person in the CRM.
    ContactId
);
typed_id!(
    /// An organisation in the CRM.
    CompanyId
);
typed_id!(
    /// A possible sale in the CRM.
    DealId
);
typed_id!(
    /// The stages that deals go through.
    PipelineId
);
typed_id!(
    /// A stage of a pipeline.
    StageId
);
typed_id!(
    /// A call, mail, meeting or note in the CRM.
    ActivityId
);
typed_id!(
    /// A to-do in the CRM.
    TodoId
);
typed_id!(
    /// A conversation with the chatbot.
    ConversationId
);
typed_id!(
    /// Agents that work together.
    CrewId
);
typed_id!(
    /// A piece of work that an agent or a crew was given.
    RunId
);
typed_id!(
    /// An entry of a service's outbox, or an ingested analytics event.
    EventId
);

/// A tenant. It has no public constructor that reads like one and no `Deserialize`: nothing that a client sends can
/// become a tenant, except through a verified token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, utoipa::ToSchema)]
#[schema(value_type = Uuid)]
#[serde(transparent)]
pub struct TenantId(Uuid);

impl TenantId {
    /// Makes a tenant from an id that a verified token or a trusted row holds. Disallowed by lint: every use says why
    /// its source can be trusted.
    #[must_use]
    pub const fn trusted(id: Uuid) -> Self {
        Self(id)
    }

    /// The bare id, for a store.
    #[must_use]
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl std::fmt::Display for TenantId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Debug for TenantId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TenantId({})", self.0)
    }
}
