//! OAuth2 (RFC 6749), as far as the platform's own services and the tenants' service accounts need it.

mod error;
mod grants;
pub(crate) mod token;
