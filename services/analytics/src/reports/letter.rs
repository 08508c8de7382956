//! The mail that a report is sent with.

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use lettre::{
    Message,
    message::{
        Attachment, Mailbox, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use uuid::Uuid;

use super::{
    document::Document,
    resource::Format,
    store::{self, ReportRow},
};
use crate::charts::day_text;

/// What mail servers take, with room for the text and for how attachments are written.
const MOST_BYTES: i64 = 10 * 1024 * 1024;

/// A mail to send.
pub(super) struct Letter {
    subject: String,
    text: String,
    files: Vec<(Format, Vec<u8>)>,
}

/// The mail of a report with its files; none when it has expired.
pub(super) async fn of_report(tx: &mut TenantTx, report: Uuid) -> Result<Option<Letter>, DbError> {
    let Some(row) = store::find(tx, report).await? else {
        return Ok(None);
    };
    let Some(document) = store::document(tx, report).await? else {
        return Ok(None);
    };
    let (mut files, mut left_out, mut whole) = (Vec::new(), Vec::new(), 0);
    for file in store::files(tx, &[report]).await? {
        let Some(format) = file.format().filter(|_| file.error.is_none()) else {
            continue;
        };
        whole += file.size;
        let length = i32::try_from(file.size).unwrap_or(i32::MAX);
        match store::piece(tx, report, format, 0, length).await? {
            Some(bytes) if whole <= MOST_BYTES => files.push((format, bytes)),
            _ => left_out.push(format),
        }
    }
    let document: Option<Document> = serde_json::from_slice(&document).ok();
    Ok(Some(Letter {
        text: text(&row, document.as_ref(), &left_out),
        subject: row.title,
        files,
    }))
}

impl Letter {
    /// A mail that is a text.
    pub(super) fn of_text(subject: Option<String>, text: Option<String>) -> Self {
        Self {
            subject: subject.unwrap_or_default(),
            text: text.unwrap_or_default(),
            files: Vec::new(),
        }
    }

    /// The message, the same for every attempt: its id is that of its row, so that a second copy is known as one.
    pub(super) fn message(
        self,
        id: Uuid,
        from: &Mailbox,
        to: &str,
        at: DateTime<Utc>,
    ) -> anyhow::Result<Message> {
        let automatic = HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        );
        let mut parts = MultiPart::mixed().singlepart(SinglePart::plain(self.text));
        for (format, bytes) in self.files {
            let kind = ContentType::parse(format.media_type())?;
            let name = format!("{}.{}", self.subject, format.as_str());
            parts = parts.singlepart(Attachment::new(name).body(bytes, kind));
        }
        Ok(Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, to.parse()?))
            .subject(self.subject.clone())
            .date(at.into())
            .message_id(Some(format!("<{id}@{}>", from.email.domain())))
            // RFC 3834: no out-of-office notes in reply.
            .raw_header(automatic)
            .multipart(parts)?)
    }
}

fn text(row: &ReportRow, document: Option<&Document>, left_out: &[Format]) -> String {
    let locale = row.plan.locale;
    let words = locale.words();
    let mut lines = vec![row.title.clone()];
    if let Some(document) = document {
        if let (Some(from), Some(to)) = (document.from, document.to) {
            lines.push(format!(
                "{} – {}",
                day_text(from, locale),
                day_text(to, locale)
            ));
        }
        lines.push(format!("{}: {}", words.time_zone, document.timezone));
        lines.push(format!("{}: {}", words.data_version, document.data_version));
        if document.partial_period {
            lines.push(words.partial.to_owned());
        }
    }
    if !left_out.is_empty() {
        let names: Vec<&str> = left_out.iter().map(|format| format.as_str()).collect();
        lines.push(format!("{} {}", words.too_large, names.join(", ")));
    }
    lines.join("\n")
}
