use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, Json, Problem, Validate};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{EmbeddingsRead, hashing};
use crate::{
    app::AppState,
    llm::{Charge, LlmError},
    models::{EMBEDDINGS, ModelError},
};

/// The most texts that one request may carry.
const MAX_INPUTS: usize = 256;
/// The longest text, in characters.
const MAX_CHARS: usize = 20_000;

/// Texts to embed.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateEmbeddings {
    /// 1 to 256 texts of at most 20,000 characters.
    #[schema(min_items = 1, max_items = 256)]
    pub(crate) input: Vec<String>,
    /// `all-MiniLM-L6-v2` (meanings; when the model is loaded), `hashing-384` (words; always there) or a model of the
    /// configured provider. The first of these that is there when not given.
    pub(crate) model: Option<String>,
}

impl Validate for CreateEmbeddings {
    fn validate(&self, errors: &mut Errors) {
        if self.input.is_empty() || self.input.len() > MAX_INPUTS {
            errors.add(
                "/input",
                "invalid_length",
                format!("must have 1 to {MAX_INPUTS} texts"),
            );
        }
        for (index, text) in self.input.iter().enumerate() {
            if text.chars().count() > MAX_CHARS {
                errors.add(
                    format!("/input/{index}"),
                    "too_long",
                    format!("must have at most {MAX_CHARS} characters"),
                );
            }
        }
    }
}

/// Vectors, in the order of the texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Embeddings {
    /// The model that made them. Vectors of different models cannot be compared.
    pub(crate) model: String,
    /// Numbers in each vector.
    pub(crate) dimensions: usize,
    /// One vector a text.
    pub(crate) embeddings: Vec<Vec<f32>>,
}

/// Embed texts.
#[utoipa::path(
    post, path = "/api/embeddings", tag = "embeddings",
    security(("bearer" = ["embeddings:read"])),
    request_body = CreateEmbeddings,
    responses(
        (status = 200, description = "The vectors", body = Embeddings),
        (status = 402, description = "A hard budget has not enough left", content_type = "application/problem+json"),
        bz_http::openapi::GatewayProblems,
    ),
)]
pub(super) async fn create_embeddings(
    State(app): State<AppState>,
    caller: Can<EmbeddingsRead>,
    Json(request): Json<CreateEmbeddings>,
) -> Result<Json<Embeddings>, Problem> {
    let who = Charge::of_user(caller.tenant(), caller.user);
    Ok(Json(embed(&app, Some(&who), request).await?))
}

/// Embeds with the model that was asked for. A provider's is charged to somebody, unless the platform itself asks.
pub(crate) async fn embed(
    app: &AppState,
    who: Option<&Charge>,
    request: CreateEmbeddings,
) -> Result<Embeddings, Problem> {
    let CreateEmbeddings { input, model } = request;
    let (model, embeddings) = match model.as_deref() {
        // Without a wish: by meaning when that can be, by words otherwise; the answer says which.
        None if app.models.offers(EMBEDDINGS) => match app.models.embed(input.clone()).await {
            Ok(vectors) => (EMBEDDINGS, vectors),
            Err(ModelError::NotLoaded) => (hashing::MODEL, hashed(&input).await),
            Err(error) => return Err(error.into()),
        },
        None | Some(hashing::MODEL) => (hashing::MODEL, hashed(&input).await),
        Some(EMBEDDINGS) => (EMBEDDINGS, app.models.embed(input).await?),
        Some(other) => (other, provided(app, who, other, &input).await?),
    };
    let model = model.to_owned();
    Ok(Embeddings {
        model,
        dimensions: embeddings.first().map_or(0, Vec::len),
        embeddings,
    })
}

/// The vectors of a provider's model.
async fn provided(
    app: &AppState,
    who: Option<&Charge>,
    model: &str,
    input: &[String],
) -> Result<Vec<Vec<f32>>, Problem> {
    let answer = app.working_gateway()?.embed(who, model, input).await?;
    Ok(vectors(answer, input.len())?)
}

/// The built-in vectors. A long text takes milliseconds, so other requests get their turn between two texts.
async fn hashed(texts: &[String]) -> Vec<Vec<f32>> {
    let mut vectors = Vec::with_capacity(texts.len());
    for text in texts {
        vectors.push(hashing::embed(text));
        tokio::task::yield_now().await;
    }
    vectors
}

/// The vectors of an OpenAI-style answer, put in the order of their `index`.
fn vectors(answer: Value, expected: usize) -> Result<Vec<Vec<f32>>, LlmError> {
    #[derive(Deserialize)]
    struct Answer {
        data: Vec<Item>,
    }
    #[derive(Deserialize)]
    struct Item {
        index: usize,
        embedding: Vec<f32>,
    }
    let mut answer: Answer =
        serde_json::from_value(answer).map_err(|error| LlmError::Malformed(error.to_string()))?;
    answer.data.sort_by_key(|item| item.index);
    if answer.data.len() != expected {
        return Err(LlmError::Malformed(format!(
            "{} vectors for {expected} texts",
            answer.data.len()
        )));
    }
    Ok(answer.data.into_iter().map(|item| item.embedding).collect())
}
