//! A document on its way in: as JSON, or as a file with what is said of it in the query or beside it in the form.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use bz_http::{Errors, Json, Problem, Validate, context, validated};
use futures_util::StreamExt as _;
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::{IntoParams, ToSchema};

use super::extract::{self, Extracted, Kind, MOST_CHARACTERS};
use crate::{agents::check_text, app::AppState};

/// The largest file, in bytes.
const LARGEST: usize = 20 << 20;
/// The longest value beside the file in a form, in bytes.
const LONGEST_VALUE: usize = 4096;
/// How long to wait for the next part of a file, and for its text.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most labels.
const MOST_LABELS: usize = 20;

/// A document as JSON.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedDocument {
    /// Its title, 1 to 300 characters.
    #[schema(min_length = 1, max_length = 300)]
    title: String,
    /// Its text, within the limit of a JSON body. A file may be larger.
    #[schema(min_length = 1)]
    text: String,
    /// What the text is: `text/plain` (when not given), `text/markdown` or `text/html`.
    media_type: Option<String>,
    /// Where it is for people, an http or https address; citations name it.
    source_url: Option<String>,
    /// The collection that it belongs to, by which a search can be narrowed.
    collection: Option<String>,
    /// Up to 20 labels, by which a search can be narrowed, too.
    #[serde(default)]
    labels: Vec<String>,
}

impl Validate for WantedDocument {
    fn validate(&self, errors: &mut Errors) {
        check_text(errors, "/text", &self.text, 1, MOST_CHARACTERS);
        if let Some(kind) = &self.media_type
            && !matches!(kind.as_str(), "text/plain" | "text/markdown" | "text/html")
        {
            let message =
                "must be text/plain, text/markdown or text/html; send other files as the body";
            errors.add("/media_type", "invalid_value", message);
        }
    }
}

/// What is said of a file, in the query. A form may have the same beside the file.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FileQuery {
    /// The file's title; what the file says itself or its name when not given.
    title: Option<String>,
    /// Where it is for people, an http or https address.
    source_url: Option<String>,
    /// The collection that it belongs to.
    collection: Option<String>,
    /// Its labels, with commas between them.
    labels: Option<String>,
}

/// A document that was read.
#[derive(Debug, Serialize)]
pub(super) struct NewDocument {
    pub title: String,
    pub media_type: &'static str,
    pub source_url: Option<String>,
    pub collection: Option<String>,
    pub labels: Vec<String>,
    pub text: String,
}

impl Validate for NewDocument {
    fn validate(&self, errors: &mut Errors) {
        check_text(errors, "/title", &self.title, 1, 300);
        if let Some(collection) = &self.collection {
            check_text(errors, "/collection", collection, 1, 100);
        }
        if self.labels.len() > MOST_LABELS {
            errors.add("/labels", "too_many", "must be at most 20");
        }
        for (n, label) in self.labels.iter().enumerate() {
            check_text(errors, &format!("/labels/{n}"), label, 1, 60);
        }
        if let Some(url) = &self.source_url {
            let parsed = Url::parse(url).ok();
            let web = parsed.is_some_and(|url| matches!(url.scheme(), "http" | "https"));
            if !web || url.len() > 2000 {
                let message = "must be an http or https address of at most 2,000 characters";
                errors.add("/source_url", "invalid_url", message);
            }
        }
    }
}

/// Reads the document of a request.
///
/// # Errors
/// 413 for one that is too large, 415 for a file of no known kind, 422 for one that cannot be read.
pub(super) async fn receive(
    app: &AppState,
    query: FileQuery,
    request: Request,
) -> Result<NewDocument, Problem> {
    let (essence, charset) = content_type(request.headers());
    context::extend_deadline(PATIENCE);
    if essence == "application/json" {
        let Json(wanted) = Json::<WantedDocument>::from_request(request, app).await?;
        return of_json(wanted).await;
    }
    let file = if essence == "multipart/form-data" {
        of_form(request, query).await?
    } else {
        let bytes = collected(request.into_body().into_data_stream().map(|part| {
            part.map_err(|_| Problem::malformed("The body ended too early; send it again."))
        }));
        File {
            bytes: bytes.await?,
            essence,
            charset,
            name: None,
            query,
        }
    };
    file.read().await
}

async fn of_json(wanted: WantedDocument) -> Result<NewDocument, Problem> {
    let kind = wanted.media_type.as_deref().and_then(Kind::of_media_type);
    let kind = kind.unwrap_or(Kind::Text);
    let text = Bytes::from(wanted.text);
    let read = extract::extract(kind, text, Some("utf-8".to_owned())).await?;
    validated(NewDocument {
        title: wanted.title.trim().to_owned(),
        media_type: kind.media_type(),
        source_url: wanted.source_url,
        collection: wanted.collection,
        labels: wanted.labels,
        text: read.text,
    })
}

/// A file with what was said of it.
struct File {
    bytes: Bytes,
    essence: String,
    charset: Option<String>,
    name: Option<String>,
    query: FileQuery,
}

impl File {
    async fn read(self) -> Result<NewDocument, Problem> {
        let kind = Kind::of_file(&self.essence, self.name.as_deref(), &self.bytes);
        let kind = kind.ok_or_else(|| {
            let known = "Send JSON, or a file as text/plain, text/markdown, text/html, application/pdf or \
                application/vnd.openxmlformats-officedocument.wordprocessingml.document, alone or in multipart/form-data.";
            Problem::unsupported_media_type().detail(known)
        })?;
        let Extracted { title, text } = extract::extract(kind, self.bytes, self.charset).await?;
        let name = self
            .name
            .as_deref()
            .map(|name| match name.rsplit_once('.') {
                Some((stem, _)) if !stem.is_empty() => stem.to_owned(),
                _ => name.to_owned(),
            });
        let title = self.query.title.or(title).or(name).unwrap_or_default();
        let labels = self.query.labels.unwrap_or_default();
        let labels = labels
            .split(',')
            .map(str::trim)
            .filter(|label| !label.is_empty());
        validated(NewDocument {
            title: title.trim().chars().filter(|c| !c.is_control()).collect(),
            media_type: kind.media_type(),
            source_url: self.query.source_url,
            collection: self.query.collection,
            labels: labels.map(str::to_owned).collect(),
            text,
        })
    }
}

/// Reads a form: the file, and what is said of it.
async fn of_form(request: Request, mut query: FileQuery) -> Result<File, Problem> {
    let wrong = |error: multer::Error| {
        Problem::malformed(format!("The body is no multipart form: {error}"))
    };
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(kind).map_err(wrong)?;
    let mut form = multer::Multipart::new(request.into_body().into_data_stream(), boundary);
    let mut file = None;
    while let Some(mut part) = form.next_field().await.map_err(wrong)? {
        let slot = match part.name() {
            _ if part.file_name().is_some() => None,
            Some("title") => Some(&mut query.title),
            Some("source_url") => Some(&mut query.source_url),
            Some("collection") => Some(&mut query.collection),
            Some("labels") => Some(&mut query.labels),
            _ => None,
        };
        let is_file = part.file_name().is_some() || part.name() == Some("file");
        let most = if is_file { LARGEST } else { LONGEST_VALUE };
        let name = part.file_name().map(str::to_owned);
        let (essence, charset) = content_type(part.headers());
        let mut bytes = BytesMut::new();
        while let Some(chunk) = part.chunk().await.map_err(wrong)? {
            take(&mut bytes, &chunk, most)?;
        }
        if let Some(slot) = slot {
            *slot = Some(String::from_utf8_lossy(&bytes).into_owned());
        } else if is_file && file.is_none() {
            file = Some((bytes.freeze(), essence, charset, name));
        }
    }
    let missing = || Problem::invalid("/file", "required", "send the file as the part `file`");
    let (bytes, essence, charset, name) = file.ok_or_else(missing)?;
    Ok(File {
        bytes,
        essence,
        charset,
        name,
        query,
    })
}

async fn collected(
    mut parts: impl futures_util::Stream<Item = Result<Bytes, Problem>> + Unpin,
) -> Result<Bytes, Problem> {
    let mut bytes = BytesMut::new();
    while let Some(part) = parts.next().await {
        take(&mut bytes, &part?, LARGEST)?;
    }
    Ok(bytes.freeze())
}

fn take(bytes: &mut BytesMut, part: &[u8], most: usize) -> Result<(), Problem> {
    context::extend_deadline(PATIENCE);
    if bytes.len() + part.len() > most {
        let title = "The body is too large";
        let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", title);
        return Err(problem.detail(
            "A file must have at most 20 MiB, and each value beside it in a form 4 KiB; split the document.",
        ));
    }
    bytes.extend_from_slice(part);
    Ok(())
}

/// The media type and the character set of what follows.
fn content_type(headers: &HeaderMap) -> (String, Option<String>) {
    let value = headers.get(header::CONTENT_TYPE);
    let value = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut parts = value.split(';');
    let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let named = name.trim().eq_ignore_ascii_case("charset");
        named.then(|| value.trim().trim_matches('"').to_owned())
    });
    (essence, charset)
}
