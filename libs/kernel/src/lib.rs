//! What every crate of the platform may use and what needs no I/O: typed ids, the injected clock and randomness,
//! pages and sealed cursors, secrets, and the table of the five services.
#![warn(missing_docs)]

pub mod chain;
pub mod cursor;
pub mod html;
pub mod ids;
pub mod page;
pub mod platform;
pub mod sealer;
pub mod secret;
pub mod sources;

pub use chain::error_chain;
pub use cursor::{CursorSealer, InvalidCursor};
pub use ids::{
    ActivityId, CompanyId, ContactId, ConversationId, CrewId, DealId, EventId, LeadId, PipelineId,
    RoleId, RunId, SessionId, StageId, TeamId, TenantId, TodoId, UserId,
};
pub use page::Page;
pub use platform::ServiceInfo;
pub use sealer::{Sealer, Unsealable};
pub use secrecy::{ExposeSecret, SecretString};
pub use secret::PlatformSecret;
pub use sources::{Clock, FixedClock, Rng, Sources};
