//! Who is calling, and what they may do.
//!
//! Identity signs access tokens (RFC 9068, EdDSA) with [`mint`]; every service verifies them locally with a
//! [`Verifier`]. What a caller may do, and the tenant it works in, comes from that token and from nowhere else.
#![warn(missing_docs)]

pub mod claims;
pub mod mint;
pub mod permission;
mod verify;

pub use claims::{AUDIENCE, Claims};
pub use jsonwebtoken::jwk::{Jwk, JwkSet};
pub use mint::SigningKey;
pub use permission::{Permission, Permissions};
pub use verify::{AuthError, Verifier};
