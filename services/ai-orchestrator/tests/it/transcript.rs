//! What real servers of two makes answered, as recorded.

use std::{fs, path::Path};

use serde_json::Value;

/// One recorded exchange.
pub(crate) struct Transcript {
    /// The body that was sent; empty for a `GET`.
    pub(crate) request: String,
    /// The status line.
    status: String,
    content_type: String,
    /// The body that was answered.
    pub(crate) body: String,
}

impl Transcript {
    /// Reads a recording; tells and answers `None` where the recordings are not there.
    pub(crate) fn read(name: &str) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/wire");
        let Ok(text) = fs::read_to_string(folder.join(name).with_extension("txt")) else {
            println!("skipped: no shared data");
            return None;
        };
        let (request, answer) = text.split_once("# RESPONSE\n").unwrap_or(("", &text));
        let (head, body) = answer.split_once("\n\n").unwrap();
        let content_type = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        Some(Self {
            request: request.lines().skip(1).collect(),
            status: head.lines().next().unwrap().to_owned(),
            content_type: content_type.unwrap().1.to_owned(),
            body: body.to_owned(),
        })
    }

    /// What was sent, as JSON.
    pub(crate) fn request(&self) -> Value {
        serde_json::from_str(&self.request).unwrap()
    }

    /// The events of a stream.
    pub(crate) fn events(&self) -> Vec<&str> {
        self.body.split_inclusive("\n\n").collect()
    }

    /// The head of the answer, of a body whose length is not told.
    pub(crate) fn chunked_head(&self) -> String {
        let Self {
            status,
            content_type,
            ..
        } = self;
        format!(
            "{status}\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
        )
    }

    /// The answer as it went over the wire, events in chunks of their own.
    pub(crate) fn wire(&self) -> Vec<u8> {
        let chunks = self.events().into_iter().map(chunk).collect::<String>();
        format!("{}{chunks}0\r\n\r\n", self.chunked_head()).into_bytes()
    }
}

/// One chunk of a body.
pub(crate) fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}
