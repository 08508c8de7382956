//! Mail: where it goes ([`MailConfig`], from `MAIL_URL` and `MAIL_FROM`) and how it leaves ([`Transport`]). What a mail
//! says, and the row that it is until it is sent, are each service's own.
#![warn(missing_docs)]

mod config;
mod transport;

pub use config::{MailConfig, MailRoute};
pub use lettre;
pub use transport::{SendError, Transport};

/// Whether a text is an address that mail can go to.
#[must_use]
pub fn is_address(text: &str) -> bool {
    text.len() <= 254 && text.parse::<lettre::Address>().is_ok()
}
