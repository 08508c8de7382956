use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::html;

use super::{Refusal, Texts, hidden};
use crate::{oauth::params::Params, pages::layout::Page};

/// What the page of the second factor shows.
pub(in crate::oauth) struct Code<'a> {
    /// The application.
    pub(in crate::oauth) client: &'a str,
    /// Where the form ends after all went well.
    pub(in crate::oauth) redirect_uri: &'a str,
    /// The request to go on with.
    pub(in crate::oauth) params: &'a Params,
    /// Where one logs in as somebody else.
    pub(in crate::oauth) other_account: &'a str,
    /// What the form must send back.
    pub(in crate::oauth) csrf: &'a str,
    /// The challenge that the right password was answered with.
    pub(in crate::oauth) mfa_token: &'a str,
    /// Why it is shown again.
    pub(in crate::oauth) refusal: Option<Refusal>,
}

/// The page that asks for the second factor.
pub(in crate::oauth) fn code(texts: &Texts, code: &Code<'_>) -> Response {
    let status = code.refusal.map_or(StatusCode::OK, Refusal::status);
    let refusal = code.refusal.map(|refusal| refusal.text(texts));
    let described = refusal.map_or("what", |_| "what refusal");
    let content = html! {
        h1 { (texts.second_factor) }
        p.soft #what { (texts.second_factor_more) }
        @if let Some(refusal) = refusal {
            p.bad #refusal role="alert" { (refusal) }
        }
        form method="post" action="/oauth2/login/code" {
            (hidden(code.params, code.csrf))
            input type="hidden" name="mfa_token" value=(code.mfa_token);
            label for="code" { (texts.code) }
            input #code type="text" name="code" required maxlength="64" autocomplete="one-time-code" autofocus
                autocapitalize="none" spellcheck="false" aria-describedby=(described)
                aria-invalid=[refusal.map(|_| "true")];
            button type="submit" { (texts.log_in) }
        }
        p.below { a href=(code.other_account) { (texts.other_account) } }
    };
    let page = Page {
        status,
        language: texts.language,
        title: &format!("{} · {}", texts.second_factor, code.client),
        form_leads_to: Some(code.redirect_uri),
        content,
    };
    page.into_response()
}
