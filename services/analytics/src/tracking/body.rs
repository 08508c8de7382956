//! The body of `POST /api/events`: JSON, or one event a line, as it is or compressed.

use std::io::Read;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use bz_http::{Errors, Problem, extract, validated};

use super::{MAX_BATCH, RejectedEvent, TrackedEvent, ingest::TrackEvents};
use crate::BATCH_BYTES;

/// Events as they came, with those that could not be read.
pub(super) struct Batch {
    /// Place in the request, and event.
    pub(super) events: Vec<(usize, TrackedEvent)>,
    /// Lines that are no event.
    pub(super) rejected: Vec<RejectedEvent>,
    /// The body, which says whether a request is the same as another one.
    pub(super) bytes: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Batch {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_lines = is_lines(request.headers())?;
        let encoding = encoding(request.headers())?;
        let body = extract::read_body(request, state).await?;
        let bytes = match encoding {
            Encoding::None => body,
            Encoding::Gzip => unpacked(flate2::read::MultiGzDecoder::new(&*body))?,
            Encoding::Zstd => {
                let reader = ruzstd::decoding::StreamingDecoder::new(&*body);
                unpacked(reader.map_err(|_| not_compressed())?)?
            }
        };
        if is_lines {
            return lines(bytes);
        }
        let batch: TrackEvents = validated(extract::parse(&bytes)?)?;
        Ok(Self {
            events: batch.events.into_iter().enumerate().collect(),
            rejected: Vec::new(),
            bytes,
        })
    }
}

/// Whether the body has one event a line; a problem when it has neither form.
fn is_lines(headers: &HeaderMap) -> Result<bool, Problem> {
    let value = headers.get(header::CONTENT_TYPE);
    let value = value.and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = value.split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        "application/json" => Ok(false),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(true),
        _ => Err(Problem::unsupported_media_type()
            .detail("Send the body as application/json or application/x-ndjson.")),
    }
}

enum Encoding {
    None,
    Gzip,
    Zstd,
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Problem> {
    let Some(value) = headers.get(header::CONTENT_ENCODING) else {
        return Ok(Encoding::None);
    };
    match value.to_str().unwrap_or("").trim().to_ascii_lowercase().as_str() {
        "identity" => Ok(Encoding::None),
        "gzip" | "x-gzip" => Ok(Encoding::Gzip),
        "zstd" => Ok(Encoding::Zstd),
        _ => Err(Problem::unsupported_media_type()
            .detail("Content-Encoding may be gzip or zstd; send the body as it is otherwise.")),
    }
}

/// What was compressed, at most as much as may be sent as it is.
fn unpacked(reader: impl Read) -> Result<Bytes, Problem> {
    let mut bytes = Vec::new();
    let most = u64::try_from(BATCH_BYTES).unwrap_or(u64::MAX);
    reader
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|_| not_compressed())?;
    if bytes.len() > BATCH_BYTES {
        return Err(Problem::payload_too_large());
    }
    Ok(bytes.into())
}

fn not_compressed() -> Problem {
    Problem::malformed("The body is not compressed as Content-Encoding says.")
}

/// One event a line; empty lines do not count.
fn lines(bytes: Bytes) -> Result<Batch, Problem> {
    let mut batch = Batch {
        events: Vec::new(),
        rejected: Vec::new(),
        bytes: bytes.clone(),
    };
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    for (index, line) in lines.filter(|line| !line.is_empty()).enumerate() {
        if index >= MAX_BATCH {
            return Err(wrong_length());
        }
        match extract::parse(line) {
            Ok(event) => batch.events.push((index, event)),
            Err(problem) => batch.rejected.push(unreadable(index, &problem)),
        }
    }
    if batch.events.is_empty() && batch.rejected.is_empty() {
        return Err(wrong_length());
    }
    Ok(batch)
}

fn wrong_length() -> Problem {
    let mut errors = Errors::default();
    super::ingest::wrong_length(&mut errors);
    Problem::validation(errors)
}

/// What is wrong with a line that is no event.
fn unreadable(index: usize, problem: &Problem) -> RejectedEvent {
    let document = problem.document();
    let (code, detail) = match document.errors.first() {
        Some(error) => {
            let place = error.pointer.as_deref().unwrap_or_default();
            (error.code.to_string(), format!("{place} {}", error.message))
        }
        None => (document.code.clone(), document.detail.unwrap_or_default()),
    };
    RejectedEvent {
        index,
        code,
        detail: detail.trim().to_owned(),
    }
}
