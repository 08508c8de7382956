//! Why the CRM did not do what was asked.

use bz_http::client::SiblingError;

/// Why the CRM did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CrmError {
    /// No connection was made: nothing happened.
    #[error("the CRM cannot be reached")]
    Unreachable,
    /// It did not answer in time or answered an error of its own: unknown what happened.
    #[error("the CRM did not answer")]
    Unavailable,
    /// The user may not.
    #[error("the CRM forbids it")]
    Forbidden,
    /// Not there.
    #[error("the record is not there")]
    Gone,
    /// It changed since the action was decided.
    #[error("the record has changed")]
    Changed,
    /// Not valid, with the reason for the user.
    #[error("the CRM refused: {0}")]
    Refused(String),
}

impl CrmError {
    /// Whether the CRM was missing, so that the same may succeed later.
    pub(crate) const fn is_outage(&self) -> bool {
        matches!(self, Self::Unreachable | Self::Unavailable)
    }
}

impl From<SiblingError> for CrmError {
    /// What a failed call means for the user.
    fn from(error: SiblingError) -> Self {
        match error {
            SiblingError::Refused {
                status,
                detail,
                errors,
                ..
            } => match status.as_u16() {
                401 | 403 => Self::Forbidden,
                404 => Self::Gone,
                412 => Self::Changed,
                429 => Self::Unreachable,
                _ => {
                    let fault = errors.into_iter().next();
                    let fault = fault.map(|fault| fault.message.into_owned());
                    let said = fault.or(detail);
                    Self::Refused(said.unwrap_or_else(|| format!("status {status}")))
                }
            },
            SiblingError::Unavailable { sent: false, .. } => Self::Unreachable,
            error => {
                tracing::warn!(%error, "the CRM did not answer as it should");
                Self::Unavailable
            }
        }
    }
}
