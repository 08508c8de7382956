//! The file in a request.

use axum::{body::BodyDataStream, extract::Request};
use bytes::Bytes;
use bz_http::Problem;
use futures_util::StreamExt as _;
use http::{HeaderMap, StatusCode, header};

/// The file in a request: its whole body, or the first part of a form that has a file's name.
pub enum File {
    /// The whole body.
    Body(BodyDataStream),
    /// A part of a form.
    Part(Box<multer::Field<'static>>),
}

impl File {
    /// Finds the file in a request.
    ///
    /// # Errors
    /// 415 for a body that can be none, 422 for a form without one.
    pub async fn of(request: Request) -> Result<Self, Problem> {
        let boundary = boundary(request.headers())?;
        let body = request.into_body().into_data_stream();
        let Some(boundary) = boundary else {
            return Ok(Self::Body(body));
        };
        let mut form = multer::Multipart::new(body, boundary);
        while let Some(part) = form
            .next_field()
            .await
            .map_err(|error| not_a_form(&error))?
        {
            if part.file_name().is_some() || part.name() == Some("file") {
                return Ok(Self::Part(Box::new(part)));
            }
        }
        Err(Problem::invalid(
            "/file",
            "required",
            "send the CSV file as the part `file`",
        ))
    }

    /// The next part of the file; none at its end.
    ///
    /// # Errors
    /// 400 when the body ends too early.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        match self {
            Self::Body(body) => {
                let part = body.next().await.transpose();
                part.map_err(|_| Problem::malformed("The body ended too early; send it again."))
            }
            Self::Part(part) => part.chunk().await.map_err(|error| not_a_form(&error)),
        }
    }
}

fn not_a_form(error: &multer::Error) -> Problem {
    Problem::malformed(format!("The body is no multipart form: {error}"))
}

/// The boundary of a form; none for a bare file.
fn boundary(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let essence = kind
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    match essence.to_ascii_lowercase().as_str() {
        "text/csv"
        | "text/plain"
        | "text/tab-separated-values"
        | "application/csv"
        | "application/gzip"
        | "application/vnd.ms-excel"
        | "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        | "application/octet-stream" => Ok(None),
        "multipart/form-data" => {
            let boundary = multer::parse_boundary(kind.unwrap_or_default());
            boundary.map(Some).map_err(|error| not_a_form(&error))
        }
        _ => Err(Problem::unsupported_media_type()
            .detail("Send the file as text/csv or multipart/form-data.")),
    }
}

/// The character between two cells as a client names it.
///
/// # Errors
/// 422 for one that is not known.
pub fn delimiter(text: Option<&str>) -> Result<Option<u8>, Problem> {
    match text {
        None => Ok(None),
        Some("tab") => Ok(Some(b'\t')),
        Some(text) if matches!(text, "," | ";" | "\t" | "|" | ":") => Ok(text.bytes().next()),
        Some(_) => Err(Problem::invalid_parameter(
            "delimiter",
            "invalid_value",
            "must be one of , ; | : and tab",
        )),
    }
}

/// 413 for a file that is larger than any service takes.
#[must_use]
pub fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "payload_too_large",
        "The body is too large",
    )
    .detail("A file must have at most 512 MiB, unpacked; split it.")
}
