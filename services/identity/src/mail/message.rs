//! A mail as it goes over the wire.

use chrono::{DateTime, Utc};
use lettre::{
    Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use uuid::Uuid;

use super::{Content, Mailer, Template};

/// Why a mail cannot be made of what was written down.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unmakable {
    /// The address is none for mail.
    #[error("the address cannot stand in a mail")]
    Address(#[from] lettre::address::AddressError),
    /// The message does not hold together.
    #[error("the mail cannot be put together")]
    Message(#[from] lettre::error::Error),
}

/// The message, the same for every attempt: its id is that of its row, so that a second copy is known as one.
pub(super) fn make(
    mailer: &Mailer,
    id: Uuid,
    template: Template,
    content: &Content,
    at: DateTime<Utc>,
) -> Result<Message, Unmakable> {
    let text = template.render(content.language, &content.values);
    let from = &mailer.0.from;
    let automatic = HeaderValue::new(
        HeaderName::new_from_ascii_str("Auto-Submitted"),
        "auto-generated".to_owned(),
    );
    Ok(Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, content.to.parse()?))
        .subject(text.subject)
        .date(at.into())
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        // RFC 3834: no out-of-office notes in reply.
        .raw_header(automatic)
        .multipart(MultiPart::alternative_plain_html(text.plain, text.html))?)
}
