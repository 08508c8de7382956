//! The grants of `POST /oauth2/token`.

pub(super) mod authorization_code;
pub(super) mod client_credentials;
pub(super) mod refresh_token;
