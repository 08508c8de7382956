//! The one frame of all pages: plain HTML that a screen reader can follow, no scripts, nothing from anywhere else, in no
//! frame of others and kept nowhere.

use std::sync::LazyLock;

use aws_lc_rs::digest;
use axum::response::{Html, IntoResponse, Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use url::Url;

const STYLE: &str = include_str!("style.css");

/// The one style that a page may have, by its hash.
static STYLE_SOURCE: LazyLock<String> = LazyLock::new(|| {
    let hash = digest::digest(&digest::SHA256, STYLE.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(hash))
});

/// A page for a person.
pub(crate) struct Page<'a> {
    /// Whether what it is about went well.
    pub(crate) status: StatusCode,
    /// The tag of its language.
    pub(crate) language: &'static str,
    /// What the window is called.
    pub(crate) title: &'a str,
    /// Where a form of the page may end, beside our own pages: at an application that has sent the browser here.
    pub(crate) form_leads_to: Option<&'a str>,
    /// What it says, with a heading.
    pub(crate) content: Markup,
}

impl IntoResponse for Page<'_> {
    fn into_response(self) -> Response {
        let document = html! {
            (DOCTYPE)
            html lang=(self.language) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="robots" content="noindex";
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) }
                }
                body { main { (self.content) } }
            }
        };
        let html = Html(document.into_string());
        let mut response = (self.status, html).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy(self.form_leads_to));
        let fixed = [
            (header::CONTENT_LANGUAGE, self.language),
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::VARY, "Accept-Language, Cookie"),
            (header::X_FRAME_OPTIONS, "DENY"),
        ];
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        // An application that opened a window for its login waits for an answer from it; nobody else has a page in hand.
        if self.form_leads_to.is_none() {
            let name = HeaderName::from_static("cross-origin-opener-policy");
            headers.insert(name, HeaderValue::from_static("same-origin"));
        }
        response
    }
}

/// Lets a page show the pictures that stand in it.
pub(crate) fn allow_pictures(mut page: Response) -> Response {
    let headers = page.headers_mut();
    let policy = headers.get(header::CONTENT_SECURITY_POLICY);
    let policy = policy.and_then(|policy| policy.to_str().ok());
    let more = policy.map(|policy| format!("{policy}; img-src data:"));
    if let Some(Ok(policy)) = more.map(HeaderValue::try_from) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    page
}

/// Nothing but the style may be loaded. Browsers hold redirects that follow a form against `form-action` too, so the
/// application's origin stands there.
fn policy(form_leads_to: Option<&str>) -> HeaderValue {
    let target = form_leads_to.and_then(source).unwrap_or_default();
    let text = format!(
        "default-src 'none'; style-src {}; form-action 'self'{target}; base-uri 'none'; frame-ancestors 'none'",
        *STYLE_SOURCE
    );
    HeaderValue::try_from(text)
        .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"))
}

fn source(uri: &str) -> Option<String> {
    let uri = Url::parse(uri).ok()?;
    let origin = uri.origin();
    Some(if origin.is_tuple() {
        format!(" {}", origin.ascii_serialization())
    } else {
        format!(" {}:", uri.scheme())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_may_end_at_the_applications_origin_only() {
        let text = |uri| policy(Some(uri)).to_str().unwrap_or_default().to_owned();
        assert!(
            text("https://app.example.com/cb?x=1")
                .contains("form-action 'self' https://app.example.com; base-uri")
        );
        assert!(text("com.example.app:/cb").contains("form-action 'self' com.example.app:;"));
        let own = policy(None).to_str().unwrap_or_default().to_owned();
        assert!(own.contains("form-action 'self'; base-uri"));
    }
}
