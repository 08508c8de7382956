//! The grants of `POST /oauth2/token`.

pub(super) mod client_credentials;
