//! How many tokens a request has, before a provider says so: from its length, since every provider counts differently.

use serde_json::{Map, Value};

/// Bytes of a token in a cautious estimate, for what is reserved. English has about four.
const FEW_BYTES: u64 = 3;
/// Bytes of a token in a generous one, for what is refused unsent.
const MANY_BYTES: u64 = 6;
/// The fields whose text the model reads.
const READ: [&str; 4] = ["messages", "tools", "response_format", "input"];

/// Bytes that the model reads.
fn bytes(body: &Map<String, Value>) -> u64 {
    let fields = READ.iter().filter_map(|field| body.get(*field));
    fields.map(|field| field.to_string().len() as u64).sum()
}

/// Hardly fewer than there are.
pub(super) fn at_most(body: &Map<String, Value>) -> u64 {
    bytes(body) / FEW_BYTES + 1
}

/// Hardly more than there are.
pub(super) fn at_least(body: &Map<String, Value>) -> u64 {
    bytes(body) / MANY_BYTES
}

/// Tokens of a text, about.
pub(super) const fn about(bytes: usize) -> u64 {
    bytes as u64 / 4 + 1
}

/// The most tokens of the answer that a request asks for.
pub(super) fn asked(body: &Map<String, Value>) -> Option<u64> {
    let fields = ["max_completion_tokens", "max_tokens"];
    fields
        .iter()
        .find_map(|field| body.get(*field).and_then(Value::as_u64))
}
