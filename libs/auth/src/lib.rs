//! Who is calling, and what they may do.
//!
//! Identity signs access tokens (RFC 9068, EdDSA) with [`mint`]; every service verifies them locally with a
//! [`Verifier`]. A handler that takes a [`Caller`], a [`Can`] or a [`Service`] does not run without a valid token, and
//! the tenant it works in comes from that token and from nowhere else.
#![warn(missing_docs)]

pub mod api_key;
mod bearer;
pub mod caller;
pub mod claims;
pub mod client_assertion;
pub mod id_token;
pub mod mint;
pub mod permission;
pub mod revocation;
pub mod service_caller;
pub mod service_token;
mod verify;

pub use bearer::step_up_required;
pub use caller::{Caller, Can, Entrant, PastCaller};
pub use claims::{AUDIENCE, Claims};
pub use id_token::IdTokenKey;
pub use jsonwebtoken::jwk::{Jwk, JwkSet};
pub use mint::SigningKey;
pub use permission::{Permission, Permissions};
pub use revocation::{Revocation, RevocationPage, Revocations, RevokedKind};
pub use service_caller::{Service, ServiceCaller};
pub use service_token::{ServiceTokenError, ServiceTokens, service_client_secret};
pub use verify::{AuthError, Verifier};
