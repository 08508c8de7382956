use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::html;

use super::{Refusal, Texts, hidden};
use crate::{
    mfa::totp_enrol::Enrolment,
    oauth::params::Params,
    pages::layout::{Page, allow_pictures},
};

/// What the page shows on which somebody sets up a second factor.
pub(in crate::oauth) struct SetUp<'a> {
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
    /// What the app needs.
    pub(in crate::oauth) enrolment: &'a Enrolment,
    /// Why it is shown again.
    pub(in crate::oauth) refusal: Option<Refusal>,
}

/// The page that gives the secret to an authenticator app and asks for its first code.
pub(in crate::oauth) fn set_up(texts: &Texts, set_up: &SetUp<'_>) -> Response {
    let status = set_up.refusal.map_or(StatusCode::OK, Refusal::status);
    let refusal = set_up.refusal.map(|refusal| refusal.text(texts));
    let described = refusal.map(|_| "refusal");
    let content = html! {
        h1 { (texts.set_up) }
        p.soft { (texts.set_up_more) }
        @if let Some(refusal) = refusal {
            p.bad #refusal role="alert" { (refusal) }
        }
        img src=(set_up.enrolment.qr_png) alt=(texts.set_up_picture);
        p { (texts.set_up_key) " " code { (set_up.enrolment.secret) } }
        form method="post" action="/oauth2/login/set-up" {
            (hidden(set_up.params, set_up.csrf))
            input type="hidden" name="mfa_token" value=(set_up.mfa_token);
            label for="code" { (texts.code) }
            input #code type="text" name="code" required autocomplete="one-time-code" autofocus
                aria-describedby=[described];
            button type="submit" { (texts.go_on) }
        }
    };
    let title = format!("{} · {}", texts.set_up, set_up.client);
    let page = Page {
        status,
        language: texts.language,
        title: &title,
        form_leads_to: Some(set_up.redirect_uri),
        content,
    };
    allow_pictures(page.into_response())
}

/// The page that shows the recovery codes, once.
pub(in crate::oauth) fn recovery_codes(texts: &Texts, codes: &[String], next: &str) -> Response {
    let content = html! {
        h1 { (texts.recovery_codes) }
        p.soft { (texts.recovery_codes_more) }
        ul { @for code in codes { li { code { (code) } } } }
        p { a href=(next) { (texts.go_on) } }
    };
    let page = Page {
        status: StatusCode::OK,
        language: texts.language,
        title: texts.recovery_codes,
        form_leads_to: None,
        content,
    };
    page.into_response()
}
