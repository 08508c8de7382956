use axum::response::Response;
use http::StatusCode;
use maud::html;

use super::{Refusal, Texts, hidden, page};
use crate::oauth::params::Params;

/// What the page of the second factor shows.
pub(in crate::oauth) struct Code<'a> {
    /// The application.
    pub(in crate::oauth) client: &'a str,
    /// Where the form ends after all went well.
    pub(in crate::oauth) redirect_uri: &'a str,
    /// The request to go on with.
    pub(in crate::oauth) params: &'a Params,
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
    let described = refusal.map(|_| "refusal");
    let content = html! {
        h1 { (texts.second_factor) }
        p.soft { (texts.second_factor_more) }
        @if let Some(refusal) = refusal {
            p.bad #refusal role="alert" { (refusal) }
        }
        form method="post" action="/oauth2/login/code" {
            (hidden(code.params, code.csrf))
            input type="hidden" name="mfa_token" value=(code.mfa_token);
            label for="code" { (texts.code) }
            input #code type="text" name="code" required autocomplete="one-time-code" autofocus
                aria-describedby=[described];
            button type="submit" { (texts.log_in) }
        }
    };
    let title = format!("{} · {}", texts.second_factor, code.client);
    page(status, texts, &title, Some(code.redirect_uri), &content)
}
