//! Faults in what a client sent, all at once.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Problem;

/// One fault: where, what, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// Where in the body (JSON pointer, RFC 6901); the body as a whole when empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub pointer: Option<Cow<'static, str>>,
    /// Which query parameter or header.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub parameter: Option<Cow<'static, str>>,
    /// What is wrong, for programs.
    #[schema(value_type = String)]
    pub code: Cow<'static, str>,
    /// What is wrong and what to send instead.
    #[schema(value_type = String)]
    pub message: Cow<'static, str>,
}

impl FieldError {
    pub(crate) fn new(
        pointer: impl Into<Cow<'static, str>>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            pointer: Some(pointer.into()),
            parameter: None,
            code: code.into(),
            message: message.into(),
        }
    }

    pub(crate) fn of_parameter(
        name: impl Into<Cow<'static, str>>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            pointer: None,
            parameter: Some(name.into()),
            code: code.into(),
            message: message.into(),
        }
    }
}

/// Collects faults.
#[derive(Debug, Default)]
pub struct Errors(Vec<FieldError>);

impl Errors {
    /// Adds a fault at a JSON pointer (`""` is the body as a whole).
    pub fn add(
        &mut self,
        pointer: impl Into<Cow<'static, str>>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) {
        self.0.push(FieldError::new(pointer, code, message));
    }

    /// Adds a fault of a query parameter or a header.
    pub fn add_parameter(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) {
        self.0.push(FieldError::of_parameter(name, code, message));
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Errors> for Vec<FieldError> {
    fn from(errors: Errors) -> Self {
        errors.0
    }
}

/// What can be wrong with a value beyond its shape. [`Json`](crate::Json) asks for it before the handler runs.
pub trait Validate {
    /// Adds every fault.
    fn validate(&self, errors: &mut Errors);
}

/// Passes a valid value on.
///
/// # Errors
/// 422 with everything that is wrong with it.
pub fn validated<T: Validate>(value: T) -> Result<T, Problem> {
    let mut errors = Errors::default();
    value.validate(&mut errors);
    if errors.is_empty() {
        Ok(value)
    } else {
        Err(Problem::validation(errors))
    }
}
