//! The form of the consent page.

use axum::{
    extract::{Request, State},
    response::Response,
};
use bz_http::Problem;
use http::HeaderMap;

use super::{
    super::{
        browser::{self, FormKey},
        params::Params,
    },
    consent_page, issue_code, proceed,
    request::AuthorizationRequest,
};
use crate::{app::AppState, origin::Origin};

/// `POST /oauth2/consent`: the user allows an application what it asks for, or does not.
pub(in crate::oauth) async fn decide(
    State(app): State<AppState>,
    headers: HeaderMap,
    origin: Origin,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request).await?;
    let request = match AuthorizationRequest::read(&app, &params).await? {
        Ok(request) => request,
        Err(rejected) => return Ok(rejected.respond(&headers, &params)),
    };
    let browser = browser::find(&app, &headers, request.tenant).await?;
    let now = app.core.sources.now();
    let Some(browser) = browser.filter(|browser| request.accepts(browser, origin.ip, now)) else {
        return proceed(&app, &headers, &origin, &request).await;
    };
    let form = FormKey::of(&app, &headers);
    if !form.accepts(&app, Some(&browser), params.field("csrf")) {
        return Ok(consent_page(&app, &headers, &request, &browser));
    }
    if params.field("decision") == Some("allow") {
        issue_code(&app, &origin, &request, &browser, true).await
    } else {
        Ok(request.refuse(&app, "access_denied", "The user did not allow it."))
    }
}
