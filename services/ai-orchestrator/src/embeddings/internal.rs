//! `POST /internal/embeddings`: vectors for sibling services, which index their tenants' texts without a user. It is
//! between services and not part of the public API.

use axum::{Router, extract::State, routing::post};
use bz_auth::Service;
use bz_http::{Json, Problem};

use super::create::{CreateEmbeddings, Embeddings, embed};
use crate::app::AppState;

bz_auth::permissions! {
    /// The one scope of the platform's services' own tokens. Users do not get it.
    OfAService = "events:read",
}

/// The route.
pub(crate) fn routes() -> Router<AppState> {
    Router::new().route("/internal/embeddings", post(create))
}

async fn create(
    State(app): State<AppState>,
    _caller: Service<OfAService>,
    Json(request): Json<CreateEmbeddings>,
) -> Result<Json<Embeddings>, Problem> {
    Ok(Json(embed(&app, None, request).await?))
}
