//! The grants of `POST /oauth2/token` that speak for a user.

pub(super) mod authorization_code;
pub(super) mod refresh_token;
