use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::html;

use super::Texts;
use crate::pages::layout::Page;

/// What is wrong with a request whose sender cannot be told, because nobody knows where to send the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::oauth) enum PageError {
    /// No such client.
    UnknownClient,
    /// The address is not registered.
    BadRedirect,
    /// Anything else.
    BadRequest,
}

/// The page that says so. It repeats nothing of what was sent.
pub(in crate::oauth) fn error(texts: &Texts, error: PageError) -> Response {
    let what = match error {
        PageError::UnknownClient => texts.unknown_client,
        PageError::BadRedirect => texts.bad_redirect,
        PageError::BadRequest => texts.bad_request,
    };
    let content = html! {
        h1 { (texts.error) }
        p.bad role="alert" { (what) }
        p { (texts.error_advice) }
    };
    let page = Page {
        status: StatusCode::BAD_REQUEST,
        language: texts.language,
        title: texts.error,
        form_leads_to: None,
        content,
    };
    page.into_response()
}
