//! The pages of the provider, for people. They work without scripts, load nothing, and can stand in no frame.

mod code;
mod consent;
mod error;
mod login;
mod logout;
mod set_up;
pub(super) mod texts;

use std::sync::LazyLock;

use aws_lc_rs::digest;
use axum::response::{Html, IntoResponse, Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use url::Url;

use self::texts::Texts;
pub(super) use self::{
    code::{Code, code},
    consent::{Consent, consent},
    error::{PageError, error},
    login::{Login, Refusal, login},
    logout::{confirm_logout, logged_out},
    set_up::{SetUp, recovery_codes, set_up},
};
use super::params::Params;

const STYLE: &str = include_str!("style.css");

/// The one style that a page may have, by its hash.
static STYLE_SOURCE: LazyLock<String> = LazyLock::new(|| {
    let hash = digest::digest(&digest::SHA256, STYLE.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(hash))
});

const REFERRER_POLICY: HeaderName = header::REFERRER_POLICY;

/// A whole page. `form_leads_to` is where a form of the page may end, beside our own pages.
pub(super) fn page(
    status: StatusCode,
    texts: &Texts,
    title: &str,
    form_leads_to: Option<&str>,
    content: &Markup,
) -> Response {
    let document = html! {
        (DOCTYPE)
        html lang=(texts.language) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (content) } }
        }
    };
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy(form_leads_to)),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (
            header::VARY,
            HeaderValue::from_static("Accept-Language, Cookie"),
        ),
    ];
    (status, headers, Html(document.into_string())).into_response()
}

/// Lets a page show the pictures that stand in it.
fn allow_images(mut page: Response, form_leads_to: Option<&str>) -> Response {
    let text = policy(form_leads_to)
        .to_str()
        .map(|policy| format!("{policy}; img-src data:"));
    if let Ok(Ok(policy)) = text.map(HeaderValue::try_from) {
        let headers = page.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    page
}

/// Sends the browser elsewhere, with `GET` whatever it came with.
pub(super) fn see_other(location: &str) -> Response {
    let Ok(location) = HeaderValue::try_from(location) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Browsers hold redirects that follow a form against `form-action` too, so the application's origin stands there.
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

/// The fields by which a form sends a request on.
fn hidden(params: &Params, csrf: &str) -> Markup {
    html! {
        @for (name, value) in params.iter() {
            input type="hidden" name=(name) value=(value);
        }
        input type="hidden" name="csrf" value=(csrf);
    }
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
        assert!(
            policy(None)
                .to_str()
                .unwrap_or_default()
                .contains("form-action 'self'; base-uri")
        );
    }
}
