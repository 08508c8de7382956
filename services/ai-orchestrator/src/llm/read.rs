//! Reads a provider's answer without trusting its length.

use serde_json::Value;

use super::LlmError;

/// How much of an answer is read; a larger one is a fault of the provider.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// How much of a refusal is read.
const MAX_REFUSAL_BYTES: usize = 64 * 1024;

/// An answer whose status says that it is one; a refusal is an error with the provider's words.
pub(super) async fn accepted(answer: reqwest::Response) -> Result<reqwest::Response, LlmError> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    let status = answer.status().as_u16();
    // The status says enough when the text cannot be read.
    let body = at_most(answer, MAX_REFUSAL_BYTES).await.unwrap_or_default();
    Err(LlmError::refused(status, &body))
}

/// Whether it is one document.
pub(super) fn is_json(answer: &reqwest::Response) -> bool {
    let kind = answer.headers().get(reqwest::header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/json"))
}

/// The JSON document of an answer.
pub(super) async fn document(answer: reqwest::Response) -> Result<Value, LlmError> {
    let body = at_most(answer, MAX_ANSWER_BYTES).await?;
    serde_json::from_slice(&body).map_err(|error| LlmError::Malformed(error.to_string()))
}

/// The body, read piece by piece; given up as soon as it is larger than `limit`, which also closes the connection.
async fn at_most(mut answer: reqwest::Response, limit: usize) -> Result<Vec<u8>, LlmError> {
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(LlmError::Interrupted)? {
        if body.len() + piece.len() > limit {
            return Err(LlmError::Malformed(format!("more than {limit} bytes")));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}
