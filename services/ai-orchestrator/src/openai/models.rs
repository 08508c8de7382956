use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::LlmRead;
use crate::{app::AppState, embeddings::hashing};

/// The models that a request may name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ModelList {
    object: &'static str,
    data: Vec<Model>,
}

/// One model.
#[derive(Debug, Serialize, ToSchema)]
struct Model {
    id: String,
    object: &'static str,
    owned_by: &'static str,
}

/// The models (OpenAI's `models`): the built-in embedding, and those of the provider when one is configured.
#[utoipa::path(
    get, path = "/v1/models", tag = "openai",
    security(("bearer" = ["llm:read"])),
    responses((status = 200, description = "The models", body = ModelList), bz_http::openapi::GatewayProblems),
)]
pub(super) async fn list_models(
    State(app): State<AppState>,
    _caller: Can<LlmRead>,
) -> Result<Json<ModelList>, Problem> {
    let mut data = vec![Model {
        id: hashing::MODEL.to_owned(),
        object: "model",
        owned_by: "bizosaas",
    }];
    if let Some(llm) = &app.llm {
        let answer = llm.models().await?;
        let named = answer["data"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|model| model["id"].as_str());
        data.extend(named.map(|id| Model {
            id: id.to_owned(),
            object: "model",
            owned_by: "provider",
        }));
    }
    Ok(Json(ModelList {
        object: "list",
        data,
    }))
}
