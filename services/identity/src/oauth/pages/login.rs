use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::html;

use super::{Texts, hidden};
use crate::{oauth::params::Params, pages::layout::Page};

/// What the login page shows.
pub(in crate::oauth) struct Login<'a> {
    /// The application.
    pub(in crate::oauth) client: &'a str,
    /// Where the form ends after all went well.
    pub(in crate::oauth) redirect_uri: &'a str,
    /// The request to go on with.
    pub(in crate::oauth) params: &'a Params,
    /// What the form must send back.
    pub(in crate::oauth) csrf: &'a str,
    /// The address to begin with.
    pub(in crate::oauth) email: &'a str,
    /// Why it is shown again.
    pub(in crate::oauth) refusal: Option<Refusal>,
}

/// Why nobody was logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::oauth) enum Refusal {
    /// The credentials are wrong, or may not log in.
    WrongCredentials,
    /// The address is not verified.
    NotVerified,
    /// The code of the second factor is wrong.
    WrongCode,
    /// Too many wrong codes, over all logins.
    TooManyCodes,
    /// The code came too late, or after too many wrong ones: the login starts again.
    CodeTooLate,
    /// The tenant asks for a second factor, and this person has none.
    NeedsSecondFactor,
    /// Too many at once.
    Busy,
    /// The form was not on a page of this browser.
    StaleForm,
    /// The tenant lets nobody in from there.
    Network,
    /// The tenant asks for a second factor, and the user's cannot be used here.
    FactorElsewhere,
}

impl Refusal {
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::WrongCredentials | Self::WrongCode => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotVerified
            | Self::StaleForm
            | Self::CodeTooLate
            | Self::NeedsSecondFactor
            | Self::Network
            | Self::FactorElsewhere => StatusCode::FORBIDDEN,
            Self::TooManyCodes => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(super) const fn text(self, texts: &Texts) -> &'static str {
        match self {
            Self::WrongCredentials => texts.wrong_credentials,
            Self::WrongCode => texts.wrong_code,
            Self::TooManyCodes => texts.too_many_codes,
            Self::CodeTooLate => texts.code_too_late,
            Self::NeedsSecondFactor => texts.needs_second_factor,
            Self::NotVerified => texts.not_verified,
            Self::Busy => texts.busy,
            Self::StaleForm => texts.stale_form,
            Self::Network => texts.network,
            Self::FactorElsewhere => texts.factor_elsewhere,
        }
    }
}

/// The page that asks who somebody is.
pub(in crate::oauth) fn login(texts: &Texts, login: &Login<'_>) -> Response {
    let status = login.refusal.map_or(StatusCode::OK, Refusal::status);
    let refusal = login.refusal.map(|refusal| refusal.text(texts));
    let described = refusal.map(|_| "refusal");
    let content = html! {
        h1 { (texts.log_in) }
        p.soft { (texts.log_in_to.0) strong { (login.client) } (texts.log_in_to.1) }
        @if let Some(refusal) = refusal {
            p.bad #refusal role="alert" { (refusal) }
        }
        form method="post" action="/oauth2/login" {
            (hidden(login.params, login.csrf))
            label for="email" { (texts.email) }
            input #email type="email" name="email" value=(login.email) required autocomplete="username"
                autofocus[login.email.is_empty()] aria-describedby=[described];
            label for="password" { (texts.password) }
            input #password type="password" name="password" required autocomplete="current-password"
                autofocus[!login.email.is_empty()] aria-describedby=[described];
            button type="submit" { (texts.log_in) }
        }
    };
    let page = Page {
        status,
        language: texts.language,
        title: &format!("{} · {}", texts.log_in, login.client),
        form_leads_to: Some(login.redirect_uri),
        content,
    };
    page.into_response()
}
