//! Embeddings: texts as vectors, each with the name of the model that made it.

mod create;
pub mod hashing;
pub(crate) mod internal;

use bz_http::{Routes, routes};

use crate::app::AppState;

bz_auth::permissions! {
    /// Turn texts into vectors.
    EmbeddingsRead = "embeddings:read",
}

pub(crate) use create::{CreateEmbeddings, embed};

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new().routes(routes!(create::create_embeddings))
}
