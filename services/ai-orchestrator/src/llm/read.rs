//! Reads a provider's answer without trusting its length.

use super::LlmError;

/// The body of an answer, read piece by piece; given up as soon as it is larger than `limit`, which also closes the
/// connection.
pub(super) async fn at_most(
    mut answer: reqwest::Response,
    limit: usize,
) -> Result<Vec<u8>, LlmError> {
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(LlmError::Interrupted)? {
        if body.len() + piece.len() > limit {
            return Err(LlmError::Malformed(format!("more than {limit} bytes")));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}
