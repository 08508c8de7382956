//! The pages of the provider, for people. They work without scripts.

mod code;
mod consent;
mod error;
mod login;
mod logout;
mod set_up;
pub(super) mod texts;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use maud::{Markup, html};

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

/// Sends the browser elsewhere, with `GET` whatever it came with.
pub(super) fn see_other(location: &str) -> Response {
    let Ok(location) = HeaderValue::try_from(location) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let fixed = |text| HeaderValue::from_static(text);
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, fixed("no-store")),
        (header::REFERRER_POLICY, fixed("no-referrer")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
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
