use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bz_http::{Path, Problem, Query};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{html, limits, show::opened};
use crate::{
    app::AppState,
    charts::Locale,
    dashboards::data::{self, DashboardData},
};

/// How the page is written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// The language, and how numbers and dates are written; `en` when not given.
    locale: Option<Locale>,
}

/// Nothing from elsewhere is loaded and no script runs; the address, which is the key, is told to nobody.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors *",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
];

/// What a link shows, as a page for people: charts as SVG, every number also as a table, without scripts.
#[utoipa::path(
    get, path = "/shared/{token}", tag = "shared",
    security(()),
    params(("token" = String, Path, description = "The secret part of the link"), PageQuery),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 404, description = "No such link", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        (status = 410, description = "The link has ended or was revoked", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        (status = 422, description = "A parameter is not valid", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        (status = 429, description = "Too many requests from the network, or for the link", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        (status = 503, description = "Cannot answer right now; try again", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
    ),
)]
pub(super) async fn get_shared_page(
    State(app): State<AppState>,
    Path(token): Path<String>,
    peer: limits::Peer,
    headers: HeaderMap,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    match read(&app, peer, &token).await {
        Ok(shown) => Ok(answer(
            StatusCode::OK,
            html::page(&shown, query.locale.unwrap_or_default()),
        )),
        Err(problem) if takes_pages(&headers) && problem.status().is_client_error() => {
            let document = problem.document();
            let detail = document.detail.unwrap_or_default();
            Ok(answer(
                problem.status(),
                html::refusal(&document.title, &detail),
            ))
        }
        Err(problem) => Err(problem),
    }
}

async fn read(app: &AppState, peer: limits::Peer, token: &str) -> Result<DashboardData, Problem> {
    limits::admit(app, peer, token).await?;
    let (mut tx, dashboard) = opened(app, token).await?;
    data::read(&mut tx, app.core.sources.now(), dashboard).await
}

/// Whether a person in front of a browser asks.
fn takes_pages(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

fn answer(status: StatusCode, page: String) -> Response {
    let mut response = (status, page).into_response();
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
