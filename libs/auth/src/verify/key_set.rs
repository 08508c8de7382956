//! The Ed25519 keys of a JWKS.

use std::{collections::HashMap, sync::Arc};

use jsonwebtoken::{
    DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet},
};

/// Public keys by their id.
#[derive(Default)]
pub(super) struct KeySet(HashMap<String, Arc<DecodingKey>>);

impl KeySet {
    /// The keys that can verify access tokens. Others, such as the RSA key of ID tokens, are not ours to use.
    pub(super) fn of(jwks: &JwkSet) -> Self {
        Self(jwks.keys.iter().filter_map(ed25519).collect())
    }

    pub(super) fn get(&self, kid: &str) -> Option<Arc<DecodingKey>> {
        self.0.get(kid).cloned()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a key of `self` is missing or another one in `newer`.
    pub(super) fn loses_a_key(&self, newer: &Self) -> bool {
        self.0.iter().any(|(kid, key)| {
            newer
                .0
                .get(kid)
                .is_none_or(|other| key.try_get_as_bytes().ok() != other.try_get_as_bytes().ok())
        })
    }
}

/// Whether a text can be the id of a key: 1 to 64 characters of base64url.
pub(super) fn is_kid(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn ed25519(jwk: &Jwk) -> Option<(String, Arc<DecodingKey>)> {
    let AlgorithmParameters::OctetKeyPair(parameters) = &jwk.algorithm else {
        return None;
    };
    if parameters.curve != EllipticCurve::Ed25519 {
        return None;
    }
    let kid = jwk.common.key_id.clone().filter(|kid| is_kid(kid))?;
    let key = DecodingKey::from_ed_components(&parameters.x).ok()?;
    let has_its_length = key.try_get_as_bytes().is_ok_and(|bytes| bytes.len() == 32);
    has_its_length.then(|| (kid, Arc::new(key)))
}
