use axum::response::Response;
use http::StatusCode;
use maud::html;

use super::{Texts, hidden, page};
use crate::oauth::params::Params;

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
    page(StatusCode::OK, texts, texts.log_out, leads_to, &content)
}

/// The page after a logout.
pub(in crate::oauth) fn logged_out(texts: &Texts) -> Response {
    let content = html! {
        h1 { (texts.logged_out) }
        p { (texts.logged_out_more) }
    };
    page(StatusCode::OK, texts, texts.logged_out, None, &content)
}
