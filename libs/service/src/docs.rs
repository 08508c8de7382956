//! `/openapi.json` and `/docs` (Swagger UI), from the binary itself: they work without internet.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use axum::{body::Body, response::IntoResponse};
use bytes::Bytes;
use bz_http::Problem;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use utoipa::openapi::OpenApi;

/// The page. Absolute addresses, so that `/docs` and `/docs/` both work without a redirect.
const INDEX: &str = include_str!("docs.html");
/// A day: the assets change with the binary only.
const ASSET_CACHE: HeaderValue = HeaderValue::from_static("public, max-age=86400");

/// The documentation of one service. The document is made when it is asked for first: few processes are ever asked, and making
/// it takes more memory than serving does.
pub struct Docs {
    make: fn() -> OpenApi,
    made: OnceLock<Result<Document, String>>,
    swagger: Arc<utoipa_swagger_ui::Config<'static>>,
}

/// A document, serialised.
struct Document {
    bytes: Bytes,
    etag: HeaderValue,
}

impl Document {
    fn of(document: &OpenApi) -> Result<Self, String> {
        let bytes = Bytes::from(document.to_json().map_err(|error| error.to_string())?);
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let etag = HeaderValue::try_from(format!("\"{:016x}\"", hasher.finish()))
            .map_err(|error| error.to_string())?;
        Ok(Self { bytes, etag })
    }
}

impl Docs {
    /// The documentation around the document that `make` makes.
    #[must_use]
    pub fn new(make: fn() -> OpenApi) -> Self {
        Self {
            make,
            made: OnceLock::new(),
            swagger: Arc::new(utoipa_swagger_ui::Config::from("/openapi.json")),
        }
    }

    /// The answer to a `GET` of a documentation path, if it is one.
    pub fn answer(&self, path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
        match path.strip_suffix('/').unwrap_or(path) {
            "/openapi.json" => Some(self.openapi(headers)),
            "/docs" | "/docs/index.html" => Some(page()),
            path => path
                .strip_prefix("/docs/")
                .and_then(|asset| self.asset(asset)),
        }
    }

    fn openapi(&self, headers: &HeaderMap) -> Response<Body> {
        let made = self.made.get_or_init(|| Document::of(&(self.make)()));
        let Document { bytes, etag } = match made {
            Ok(document) => document,
            Err(error) => return Problem::internal(error.clone()).into_response(),
        };
        let known = headers.get(header::IF_NONE_MATCH) == Some(etag);
        let mut response = if known {
            status(StatusCode::NOT_MODIFIED)
        } else {
            with_type("application/json", Body::from(bytes.clone()))
        };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, etag.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        // The document is public; browser tools of other origins read it.
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        );
        response
    }

    fn asset(&self, name: &str) -> Option<Response<Body>> {
        let file = utoipa_swagger_ui::serve(name, Arc::clone(&self.swagger))
            .ok()
            .flatten()?;
        let body = match file.bytes {
            std::borrow::Cow::Borrowed(bytes) => Body::from(Bytes::from_static(bytes)),
            std::borrow::Cow::Owned(bytes) => Body::from(bytes),
        };
        let mut response = with_type(&file.content_type, body);
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, ASSET_CACHE);
        if file.gzpipped {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Some(response)
    }
}

fn page() -> Response<Body> {
    with_type("text/html; charset=utf-8", Body::from(INDEX))
}

fn with_type(content_type: &str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let content_type = HeaderValue::try_from(content_type)
        .unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response.headers_mut().insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

fn status(code: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = code;
    response
}
