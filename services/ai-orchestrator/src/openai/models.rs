use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::LlmRead;
use crate::{app::AppState, embeddings::hashing, models::EMBEDDINGS};

/// The models that a request may name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ModelList {
    object: &'static str,
    data: Vec<ListedModel>,
}

/// One model.
#[derive(Debug, Serialize, ToSchema)]
struct ListedModel {
    id: String,
    object: &'static str,
    owned_by: &'static str,
}

impl ListedModel {
    fn new(id: &str, owned_by: &'static str) -> Self {
        Self {
            id: id.to_owned(),
            object: "model",
            owned_by,
        }
    }
}

/// The models (OpenAI's `models`): those within the process, and those of the providers.
#[utoipa::path(
    get, path = "/v1/models", tag = "openai",
    security(("bearer" = ["llm:read"])),
    responses((status = 200, description = "The models", body = ModelList), bz_http::openapi::GatewayProblems),
)]
pub(super) async fn list_models(
    State(app): State<AppState>,
    _caller: Can<LlmRead>,
) -> Result<Json<ModelList>, Problem> {
    let built_in = app.models.offers(EMBEDDINGS).then_some(EMBEDDINGS);
    let built_in = built_in.into_iter().chain([hashing::MODEL]);
    let built_in = built_in.chain(app.gateway.other_models());
    let mut data: Vec<ListedModel> = built_in
        .map(|id| ListedModel::new(id, "bizosaas"))
        .collect();
    for server in app.gateway.servers() {
        let answer = server.models().await?;
        let named = answer["data"].as_array().into_iter().flatten();
        let named = named.filter_map(|model| model["id"].as_str());
        data.extend(named.map(|id| ListedModel::new(id, "provider")));
    }
    Ok(Json(ModelList {
        object: "list",
        data,
    }))
}
