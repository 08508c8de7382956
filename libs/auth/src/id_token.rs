//! Signing ID tokens (OpenID Connect Core 1.0 section 2). Identity does this; nobody accepts one as an access token.

use std::sync::Arc;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bz_kernel::SecretString;
use jsonwebtoken::{
    Algorithm, DecodingKey, Header, Validation,
    jwk::{Jwk, PublicKeyUse, ThumbprintHash},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::mint::KeyError;

/// The type of an ID token.
const ID_TOKEN_TYPE: &str = "JWT";

/// An RSA key of 2048 bits that signs ID tokens with RS256, which every relying party must understand. It has no
/// `Serialize`, and `Debug` shows its id only.
#[derive(Clone)]
pub struct IdTokenKey(Arc<Inner>);

struct Inner {
    kid: String,
    pkcs8: Vec<u8>,
    pair: RsaKeyPair,
    public: DecodingKey,
    jwk: Jwk,
}

impl IdTokenKey {
    /// A new key. Takes a tenth of a second or more, and its randomness from the operating system: the library makes RSA
    /// keys from no other source.
    ///
    /// # Errors
    /// [`KeyError`] when the cryptographic library refuses; it has no reason to.
    pub fn generate() -> Result<Self, KeyError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Rejected)?;
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError::Rejected)?;
        Self::from_pkcs8(pkcs8.as_ref())
    }

    /// A key that was stored as PKCS#8.
    ///
    /// # Errors
    /// [`KeyError::Rejected`] when the bytes are something else.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, KeyError> {
        let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| KeyError::Rejected)?;
        let public = pair.public_key();
        let public = DecodingKey::from_rsa_raw_components(
            public.modulus().big_endian_without_leading_zero(),
            public.exponent().big_endian_without_leading_zero(),
        );
        let mut jwk =
            Jwk::from_decoding_key(&public, Some(Algorithm::RS256)).map_err(KeyError::Sign)?;
        let kid = jwk
            .thumbprint(ThumbprintHash::SHA256)
            .map_err(KeyError::Sign)?;
        jwk.common.key_id = Some(kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let pkcs8 = pkcs8.to_vec();
        Ok(Self(Arc::new(Inner {
            kid,
            pkcs8,
            pair,
            public,
            jwk,
        })))
    }

    /// The key's id: its RFC 7638 thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.0.kid
    }

    /// The private key, to be stored encrypted.
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        &self.0.pkcs8
    }

    /// The public key, as the JWKS publishes it.
    #[must_use]
    pub fn to_jwk(&self) -> Jwk {
        self.0.jwk.clone()
    }

    /// Signs a token. Put together here because the library would read the private key anew for each one.
    ///
    /// # Errors
    /// [`KeyError`] when the claims do not serialise or the library refuses.
    pub fn sign(&self, claims: &impl Serialize) -> Result<SecretString, KeyError> {
        self.sign_as(ID_TOKEN_TYPE, claims)
    }

    /// Signs a token of another type, so that nobody takes it for an ID token: one that tells of a logout.
    ///
    /// # Errors
    /// As [`IdTokenKey::sign`].
    pub fn sign_as(&self, kind: &str, claims: &impl Serialize) -> Result<SecretString, KeyError> {
        let mut header = Header::new(Algorithm::RS256);
        header.typ = Some(kind.to_owned());
        header.kid = Some(self.0.kid.clone());
        let part = |json: serde_json::Result<Vec<u8>>| {
            json.map(|json| URL_SAFE_NO_PAD.encode(json))
                .map_err(|error| KeyError::Sign(error.into()))
        };
        let message = format!(
            "{}.{}",
            part(serde_json::to_vec(&header))?,
            part(serde_json::to_vec(claims))?
        );
        let mut signature = vec![0; self.0.pair.public_modulus_len()];
        self.0
            .pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message.as_bytes(),
                &mut signature,
            )
            .map_err(|_| KeyError::Rejected)?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
    }

    /// The claims of a token that this key signed, however old it is: a hint of who is meant, not a proof that they are
    /// here.
    #[must_use]
    pub fn read_hint<T: DeserializeOwned>(&self, token: &str, issuer: &str) -> Option<T> {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["iss", "aud", "sub"]);
        let header = jsonwebtoken::decode_header(token).ok()?;
        let is_mine = header.kid.as_deref() == Some(self.kid())
            && header.typ.as_deref() == Some(ID_TOKEN_TYPE);
        let data = jsonwebtoken::decode::<T>(token, &self.0.public, &validation).ok()?;
        is_mine.then_some(data.claims)
    }
}

impl std::fmt::Debug for IdTokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdTokenKey")
            .field("kid", &self.0.kid)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bz_kernel::ExposeSecret;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_stored_key_is_the_same_key_and_its_tokens_are_read_by_it_alone() {
        let key = IdTokenKey::generate().unwrap();
        let again = IdTokenKey::from_pkcs8(key.pkcs8()).unwrap();
        assert_eq!((key.kid(), key.to_jwk()), (again.kid(), again.to_jwk()));
        assert!(IdTokenKey::from_pkcs8(b"not a key").is_err());
        let jwk = serde_json::to_value(key.to_jwk()).unwrap();
        assert_eq!(
            (&jwk["kty"], &jwk["alg"], &jwk["use"], &jwk["e"]),
            (
                &"RSA".into(),
                &"RS256".into(),
                &"sig".into(),
                &"AQAB".into()
            )
        );
        assert!(jwk.get("d").is_none());

        let token = key
            .sign(&json!({ "iss": "i", "aud": "c", "sub": "s", "exp": 1 }))
            .unwrap();
        let token = token.expose_secret();
        assert_eq!(again.read_hint::<Value>(token, "i").unwrap()["sub"], "s");
        assert!(again.read_hint::<Value>(token, "j").is_none());
        assert!(again.read_hint::<Value>(&token[1..], "i").is_none());
        let of_logout = key
            .sign_as(
                "logout+jwt",
                &json!({ "iss": "i", "aud": "c", "sub": "s", "exp": 1 }),
            )
            .unwrap();
        assert!(
            again
                .read_hint::<Value>(of_logout.expose_secret(), "i")
                .is_none()
        );
        let other = IdTokenKey::generate().unwrap();
        assert!(other.read_hint::<Value>(token, "i").is_none());
    }
}
