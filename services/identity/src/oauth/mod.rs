//! OAuth2 (RFC 6749), as far as the platform's own services need it.

mod error;
pub(crate) mod token;
