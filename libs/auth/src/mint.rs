//! Signing access tokens. Identity does this, and tests that play identity.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use bz_kernel::{Rng, SecretString};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header,
    jwk::{Jwk, PublicKeyUse, ThumbprintHash},
};

use crate::Claims;

/// The type of an access token (RFC 9068 section 2.1), so that no other token passes for one.
pub(crate) const TOKEN_TYPE: &str = "at+jwt";

/// The key could not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The bytes are not an Ed25519 private key in PKCS#8 (RFC 8410).
    #[error("not an Ed25519 key in PKCS#8")]
    Rejected,
    /// The library refused to sign or to describe the key.
    #[error("the key cannot sign")]
    Sign(#[source] jsonwebtoken::errors::Error),
}

/// An Ed25519 key that signs access tokens. It has no `Serialize`, and `Debug` shows its id only.
#[derive(Clone)]
pub struct SigningKey {
    kid: String,
    pkcs8: Vec<u8>,
    encoding: EncodingKey,
    jwk: Jwk,
}

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// [`KeyError`] when the cryptographic library refuses; it has no reason to.
    pub fn generate(rng: &Rng) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&rng.bytes::<32>())
            .map_err(|_| KeyError::Rejected)?;
        let pkcs8 = pair.to_pkcs8v1().map_err(|_| KeyError::Rejected)?;
        Self::from_pkcs8(pkcs8.as_ref())
    }

    /// A key that was stored as PKCS#8.
    ///
    /// # Errors
    /// [`KeyError::Rejected`] when the bytes are something else.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| KeyError::Rejected)?;
        let public = DecodingKey::from_ed_der(pair.public_key().as_ref());
        let mut jwk =
            Jwk::from_decoding_key(&public, Some(Algorithm::EdDSA)).map_err(KeyError::Sign)?;
        let kid = jwk
            .thumbprint(ThumbprintHash::SHA256)
            .map_err(KeyError::Sign)?;
        jwk.common.key_id = Some(kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self {
            kid,
            pkcs8: pkcs8.to_vec(),
            encoding: EncodingKey::from_ed_der(pkcs8),
            jwk,
        })
    }

    /// The key's id: its RFC 7638 thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The private key, to be stored encrypted.
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The public key, as the JWKS publishes it.
    #[must_use]
    pub fn to_jwk(&self) -> Jwk {
        self.jwk.clone()
    }

    /// Signs a token.
    ///
    /// # Errors
    /// [`KeyError::Sign`] when the library refuses.
    pub fn sign(&self, claims: &Claims) -> Result<SecretString, KeyError> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.encoding)
            .map(SecretString::from)
            .map_err(KeyError::Sign)
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_key_is_the_same_key_and_does_not_print() {
        let key = SigningKey::generate(&Rng::seeded(1)).unwrap();
        let again = SigningKey::from_pkcs8(key.pkcs8()).unwrap();
        assert_eq!(key.to_jwk(), again.to_jwk());
        assert_eq!(key.kid(), again.kid());
        assert_eq!(
            format!("{key:?}"),
            format!("SigningKey {{ kid: {:?}, .. }}", key.kid())
        );
        assert!(SigningKey::from_pkcs8(b"not a key").is_err());
    }

    #[test]
    fn the_jwk_says_what_the_key_is_for() {
        let jwk =
            serde_json::to_value(SigningKey::generate(&Rng::seeded(1)).unwrap().to_jwk()).unwrap();
        assert_eq!(
            (&jwk["kty"], &jwk["crv"], &jwk["alg"], &jwk["use"]),
            (
                &"OKP".into(),
                &"Ed25519".into(),
                &"EdDSA".into(),
                &"sig".into()
            ),
        );
        assert!(jwk.get("d").is_none());
    }
}
