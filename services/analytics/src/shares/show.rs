use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use bz_http::{IfNoneMatch, Path, Problem};
use bz_tenant::TenantTx;

use super::{limits, store, token};
use crate::{
    app::AppState,
    dashboards::{
        Dashboard, boards,
        data::{DashboardData, answered},
    },
};

/// What a link shows, for programs: the numbers of all tiles.
///
/// The link is the only key: no token is needed, and what it shows cannot be changed. An unknown link is 404, one that has
/// ended or was revoked 410.
#[utoipa::path(
    get, path = "/api/shared/{token}", tag = "shared",
    security(()),
    params(("token" = String, Path, description = "The secret part of the link"), IfNoneMatch),
    responses(
        (status = 200, description = "The tiles with their numbers", body = DashboardData,
         headers(("ETag" = String, description = "Version of the answer"))),
        (status = 304, description = "The answer is the one that the client has"),
        (status = 404, description = "No such link", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        (status = 410, description = "The link has ended or was revoked", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        (status = 429, description = "Too many requests from the network, or for the link", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        (status = 503, description = "Cannot answer right now; try again", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
    ),
)]
pub(super) async fn get_shared_dashboard(
    State(app): State<AppState>,
    Path(token): Path<String>,
    peer: limits::Peer,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    limits::admit(&app, peer, &token).await?;
    let (mut tx, dashboard) = opened(&app, &token).await?;
    // Who looks at a link is told of no alert.
    answered(&mut tx, app.core.sources.now(), (dashboard, &[]), &headers).await
}

/// The dashboard that a link shows, with the link's own view, and a snapshot to read its numbers from.
pub(super) async fn opened(app: &AppState, token: &str) -> Result<(TenantTx, Dashboard), Problem> {
    let now = app.core.sources.now();
    let opened = token::open(&app.core, token).ok_or_else(Problem::not_found)?;
    if opened.expires_at <= now {
        return Err(ended());
    }
    let mut tx = app.core.db.snapshot(&opened.scope).await?;
    let share = store::find(&mut tx, opened.id).await?.ok_or_else(ended)?;
    if share.revoked_at.is_some() || share.expires_at <= now {
        return Err(ended());
    }
    let mut dashboard = boards::find(&mut tx, share.dashboard_id)
        .await?
        .ok_or_else(ended)?;
    dashboard.view = share.view;
    Ok((tx, dashboard))
}

/// 410: the link was good and is not any more.
fn ended() -> Problem {
    Problem::new(StatusCode::GONE, "link_ended", "The link has ended")
        .detail("Ask whoever sent it to you for a new one.")
}
