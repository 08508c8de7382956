//! How a search was sent, which says where its faults are.

use std::borrow::Cow;

use bz_http::Errors;

/// How a search was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// In the query string.
    Query,
    /// As a body.
    Body,
}

impl Sent {
    /// Adds what is wrong with a member: `at` is the place in it.
    pub(super) fn fault(
        self,
        errors: &mut Errors,
        name: &'static str,
        at: &str,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) {
        let message = message.into();
        match self {
            Self::Body => errors.add(format!("/{name}{at}"), code, message),
            Self::Query if at.is_empty() => errors.add_parameter(name, code, message),
            Self::Query => errors.add_parameter(name, code, format!("{at} {message}")),
        }
    }
}
