use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, Json, Problem, Validate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::LlmRead;
use crate::{
    app::AppState,
    embeddings::{self, CreateEmbeddings},
    llm::Charge,
};

/// A request as OpenAI's API defines it.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct EmbeddingRequest {
    input: Input,
    /// As for `POST /api/embeddings`.
    model: Option<String>,
}

/// One text or several.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
enum Input {
    One(String),
    Many(Vec<String>),
}

impl Validate for EmbeddingRequest {
    fn validate(&self, errors: &mut Errors) {
        self.plain().validate(errors);
    }
}

impl EmbeddingRequest {
    fn plain(&self) -> CreateEmbeddings {
        let input = match &self.input {
            Input::One(text) => vec![text.clone()],
            Input::Many(texts) => texts.clone(),
        };
        CreateEmbeddings {
            input,
            model: self.model.clone(),
        }
    }
}

/// Vectors as OpenAI's API answers them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EmbeddingList {
    object: &'static str,
    model: String,
    data: Vec<EmbeddingItem>,
}

/// One vector.
#[derive(Debug, Serialize, ToSchema)]
struct EmbeddingItem {
    object: &'static str,
    index: usize,
    embedding: Vec<f32>,
}

/// Embed texts (OpenAI's `embeddings`).
#[utoipa::path(
    post, path = "/v1/embeddings", tag = "openai",
    security(("bearer" = ["llm:read"])),
    request_body = EmbeddingRequest,
    responses(
        (status = 200, description = "The vectors", body = EmbeddingList),
        (status = 402, description = "A hard budget has not enough left", content_type = "application/problem+json"),
        bz_http::openapi::GatewayProblems,
    ),
)]
pub(super) async fn create_openai_embeddings(
    State(app): State<AppState>,
    caller: Can<LlmRead>,
    Json(request): Json<EmbeddingRequest>,
) -> Result<Json<EmbeddingList>, Problem> {
    let who = Charge::of_user(caller.tenant(), caller.user);
    let made = embeddings::embed(&app, Some(&who), request.plain()).await?;
    let data = made
        .embeddings
        .into_iter()
        .enumerate()
        .map(|(index, embedding)| EmbeddingItem {
            object: "embedding",
            index,
            embedding,
        })
        .collect();
    Ok(Json(EmbeddingList {
        object: "list",
        model: made.model,
        data,
    }))
}
