use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bz_http::{ClientIp, IdempotencyKey, Json, Path, Problem, extract::is_form};
use bz_service::limiter::{self, Quota};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    CaptureForm,
    accept::{self, Submission},
    body::Inputs,
    store,
};
use crate::app::AppState;

/// Submissions a minute from one network.
const PER_NETWORK: u32 = 30;
/// Submissions a minute of one form.
const PER_FORM: u32 = 300;

/// What every submission is answered.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Received {
    /// Always `received`: whether it became a lead is for the tenant to know.
    status: &'static str,
}

/// Submit a form of a tenant's own site.
///
/// Without a token, as JSON (a flat object) or as a form. The answer is the same whatever came of it: also for a form that
/// there is not, for a page that may not submit it, and for programs that fill in what people do not see. The same
/// submission once more, by `Idempotency-Key` or an input `submission_id`, makes nothing. An open lead with the same e-mail
/// address gets what it lacks instead of a second lead. A browser that sent the form itself goes to `success_redirect`.
#[utoipa::path(
    post, path = "/api/leads/capture/{form_key}", tag = "capture",
    security(()),
    params(("form_key" = String, Path, description = "The key of the form"), IdempotencyKey),
    request_body(content((Object = "application/json"), (Object = "application/x-www-form-urlencoded"))),
    responses(
        (status = 202, description = "It was received", body = Received),
        (status = 303, description = "The same, for a browser: on to the tenant's page"),
        (status = 429, description = "Too often", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn capture_lead(
    State(app): State<AppState>,
    Path(form_key): Path<String>,
    key: IdempotencyKey,
    request: Request,
) -> Result<Response, Problem> {
    let sender = Sender::of(&request);
    let network = sender.ip.map(limiter::network);
    limit(&app, "capture-network", network, PER_NETWORK).await?;
    let inputs = Inputs::read(request, &app).await?;
    let Some((scope, id)) = accept::find(&app, &form_key).await? else {
        return Ok(received(None, &sender));
    };
    limit(&app, "capture-form", Some(id.to_string()), PER_FORM).await?;
    let mut tx = app.core.db.tenant(&scope).await?;
    let found = store::find(&mut tx, id).await?;
    let Some((form, maker)) = found.filter(|(form, _)| form.enabled) else {
        return Ok(received(None, &sender));
    };
    if sender.may_submit(&form) {
        let submission = Submission {
            form: &form,
            inputs: &inputs,
            key: key.as_deref(),
            ip: sender.ip,
        };
        accept::accept(&app, tx, maker.into(), submission).await?;
    }
    Ok(received(Some(&form), &sender))
}

/// Who submits.
struct Sender {
    ip: Option<IpAddr>,
    /// The page that a browser is on.
    origin: Option<HeaderValue>,
    /// Whether a browser shows the answer as a page: it sent the form itself.
    is_page: bool,
}

impl Sender {
    fn of(request: &Request) -> Self {
        let headers = request.headers();
        let accepted = headers.get(header::ACCEPT);
        let accepted = accepted.and_then(|value| value.to_str().ok());
        let takes_pages = accepted.is_some_and(|accepted| accepted.contains("text/html"));
        Self {
            ip: request.extensions().get::<ClientIp>().map(|ip| ip.0),
            origin: origin(headers),
            is_page: is_form(headers) && takes_pages,
        }
    }

    /// Programs that are no browsers name no page.
    fn may_submit(&self, form: &CaptureForm) -> bool {
        self.origin
            .as_ref()
            .is_none_or(|origin| allows(form, origin))
    }
}

/// What a browser asks before it lets a page elsewhere send JSON.
pub(super) async fn preflight(
    State(app): State<AppState>,
    Path(form_key): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let (Some(origin), Some((scope, id))) =
        (origin(&headers), accept::find(&app, &form_key).await?)
    else {
        return Ok(response);
    };
    let mut tx = app.core.db.read(&scope).await?;
    let form = store::find(&mut tx, id).await?;
    if form.is_some_and(|(form, _)| form.enabled && allows(&form, &origin)) {
        let set = response.headers_mut();
        set.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        set.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("POST"),
        );
        set.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("content-type, idempotency-key"),
        );
        set.insert(
            header::ACCESS_CONTROL_MAX_AGE,
            HeaderValue::from_static("600"),
        );
        set.insert(header::VARY, HeaderValue::from_static("origin"));
    }
    Ok(response)
}

fn origin(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(header::ORIGIN).cloned()
}

/// Whether the form names the origin, letter by letter.
fn allows(form: &CaptureForm, origin: &HeaderValue) -> bool {
    let origins = &form.settings.origins;
    origins
        .iter()
        .any(|allowed| allowed.as_bytes() == origin.as_bytes())
}

fn received(form: Option<&CaptureForm>, sender: &Sender) -> Response {
    let redirect = form.and_then(|form| form.settings.success_redirect.as_deref());
    let redirect = redirect.and_then(|url| HeaderValue::from_str(url).ok());
    let mut response = match redirect.filter(|_| sender.is_page) {
        Some(url) => (StatusCode::SEE_OTHER, [(header::LOCATION, url)]).into_response(),
        None => {
            let status = "received";
            (StatusCode::ACCEPTED, Json(Received { status })).into_response()
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    // A page elsewhere is told so by its browser, which looks for the header that is not there.
    let allowed = form.zip(sender.origin.clone());
    if let Some((_, origin)) = allowed.filter(|(form, origin)| allows(form, origin)) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    response
}

/// Takes one of what is allowed a minute for `whom`; what cannot be told apart is let through.
async fn limit(
    app: &AppState,
    name: &str,
    whom: Option<String>,
    count: u32,
) -> Result<(), Problem> {
    let Some(whom) = whom else { return Ok(()) };
    let key = limiter::anonymous_key(&app.core, name, &whom);
    let bucket = (key, Quota::a_minute(count));
    app.limiter.admit(&app.core, &[bucket]).await
}

/// The address as it is kept: a digest that says only whether two are the same.
pub(super) fn ip_digest(app: &AppState, tenant: &str, ip: IpAddr) -> String {
    let digest = app
        .core
        .secret
        .hmac("capture-ip", format!("{tenant} {ip}").as_bytes());
    hex::encode(&digest[..16])
}
