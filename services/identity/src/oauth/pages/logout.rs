use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::{Markup, html};

use super::{Texts, hidden};
use crate::{oauth::params::Params, pages::layout::Page};

/// The page that asks whether somebody wants to log out: no other site can do it by itself.
pub(in crate::oauth) fn confirm_logout(
    texts: &Texts,
    params: &Params,
    csrf: &str,
    email: &str,
    leads_to: Option<&str>,
) -> Response {
    let content = html! {
        h1 { (texts.log_out) }
        p { (texts.log_out_question) }
        p.soft { (texts.logged_in_as) " " strong { (email) } "." }
        form method="post" action="/oauth2/logout" {
            (hidden(params, csrf))
            button type="submit" { (texts.log_out) }
        }
    };
    plain(texts, texts.log_out, leads_to, content)
}

/// The page after a logout.
pub(in crate::oauth) fn logged_out(texts: &Texts) -> Response {
    let content = html! {
        h1 { (texts.logged_out) }
        p { (texts.logged_out_more) }
    };
    plain(texts, texts.logged_out, None, content)
}

fn plain(texts: &Texts, title: &str, form_leads_to: Option<&str>, content: Markup) -> Response {
    let page = Page {
        status: StatusCode::OK,
        language: texts.language,
        title,
        form_leads_to,
        content,
    };
    page.into_response()
}
