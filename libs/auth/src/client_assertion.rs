//! Clients that show who they are by a signature (RFC 7523 section 2.2; `private_key_jwt` of OpenID Connect Core 1.0 section
//! 9). Identity verifies these, with the public keys that a client was registered with.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;

use crate::claims::one_or_many;

/// What may sign, by name.
pub const ALGORITHMS: [&str; 4] = ["RS256", "PS256", "ES256", "EdDSA"];
/// The most keys of a client: one in use, one to come, and some of other kinds.
const MOST_KEYS: usize = 5;
/// Members of a key that only its owner may know (RFC 7518 sections 6.2.2, 6.3.2 and 6.4).
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];
/// The longest assertion that is looked at, in bytes.
const MOST_BYTES: usize = 8 * 1024;

/// The public keys of a client.
pub struct ClientKeys(Vec<ClientKey>);

struct ClientKey {
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

/// What an assertion says. Nothing of it was compared with anything but the signature.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Assertion {
    /// The client.
    pub iss: String,
    /// The client again.
    pub sub: String,
    /// Whom it is for.
    #[serde(deserialize_with = "one_or_many")]
    pub aud: Vec<String>,
    /// When it ends, in seconds since 1970.
    pub exp: u64,
    /// When it was made.
    pub iat: Option<u64>,
    /// From when on it is good.
    pub nbf: Option<u64>,
    /// Its own id.
    pub jti: String,
}

impl ClientKeys {
    /// Reads a JSON Web Key Set (RFC 7517): 1 to 5 public keys, RSA of 2048 to 4096 bits, P-256 or Ed25519.
    ///
    /// # Errors
    /// What to change about it.
    pub fn read(set: &Value) -> Result<Self, &'static str> {
        let keys = set["keys"]
            .as_array()
            .ok_or("must be an object with the list \"keys\"")?;
        if !(1..=MOST_KEYS).contains(&keys.len()) {
            return Err("must have 1 to 5 keys");
        }
        let keys: Vec<ClientKey> = keys.iter().map(ClientKey::read).collect::<Result<_, _>>()?;
        let named: Vec<_> = keys.iter().filter_map(|key| key.kid.as_deref()).collect();
        if named.len() != named.iter().collect::<BTreeSet<_>>().len() {
            return Err("must not have two keys with one kid");
        }
        Ok(Self(keys))
    }

    /// The claims of an assertion that one of the keys has signed.
    #[must_use]
    pub fn open(&self, assertion: &str) -> Option<Assertion> {
        if assertion.len() > MOST_BYTES {
            return None;
        }
        let header = jsonwebtoken::decode_header(assertion).ok()?;
        if header.crit.is_some() {
            return None;
        }
        let fits = |key: &&ClientKey| {
            let is_named = header.kid.is_none() || key.kid.is_none() || header.kid == key.kid;
            is_named && key.algorithms.contains(&header.alg)
        };
        let mut validation = Validation::new(header.alg);
        // The library reads the machine's clock, and knows one audience.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        let open = |key: &ClientKey| {
            jsonwebtoken::decode::<Assertion>(assertion, &key.key, &validation).ok()
        };
        let opened = self.0.iter().filter(fits).find_map(open);
        opened.map(|opened| opened.claims)
    }
}

impl ClientKey {
    fn read(value: &Value) -> Result<Self, &'static str> {
        if PRIVATE.iter().any(|name| value.get(name).is_some()) {
            return Err("must have public keys only: whoever has seen the private one can use it");
        }
        let jwk: Jwk = serde_json::from_value(value.clone())
            .map_err(|_| "has a key that is not a JSON Web Key")?;
        if matches!(jwk.common.public_key_use, Some(PublicKeyUse::Encryption)) {
            return Err("has a key that is for encryption");
        }
        let algorithms = match &jwk.algorithm {
            AlgorithmParameters::RSA(rsa) => {
                let modulus = URL_SAFE_NO_PAD.decode(&rsa.n).unwrap_or_default();
                let bits =
                    modulus.len() * 8 - modulus.first().map_or(0, |b| b.leading_zeros() as usize);
                if !(2048..=4096).contains(&bits) {
                    return Err("has an RSA key that does not have 2048 to 4096 bits");
                }
                vec![Algorithm::RS256, Algorithm::PS256]
            }
            AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => {
                vec![Algorithm::ES256]
            }
            AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
                vec![Algorithm::EdDSA]
            }
            _ => return Err("has a key that is neither RSA, P-256 nor Ed25519"),
        };
        let wanted = match jwk.common.key_algorithm {
            None => None,
            Some(KeyAlgorithm::RS256) => Some(Algorithm::RS256),
            Some(KeyAlgorithm::PS256) => Some(Algorithm::PS256),
            Some(KeyAlgorithm::ES256) => Some(Algorithm::ES256),
            Some(KeyAlgorithm::EdDSA) => Some(Algorithm::EdDSA),
            Some(_) => {
                return Err("has a key for another algorithm than RS256, PS256, ES256 and EdDSA");
            }
        };
        let mut algorithms = algorithms;
        algorithms.retain(|algorithm| wanted.is_none_or(|wanted| wanted == *algorithm));
        if algorithms.is_empty() {
            return Err("has a key whose alg is not of its kind");
        }
        let key = DecodingKey::from_jwk(&jwk).map_err(|_| "has a key that cannot be read")?;
        Ok(Self {
            kid: jwk.common.key_id,
            algorithms,
            key,
        })
    }
}

/// Which client an assertion says that it is of, so that its keys can be looked up. Nobody has vouched for it.
#[must_use]
pub fn claimed_client(assertion: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claimed {
        iss: String,
    }
    if assertion.len() > MOST_BYTES {
        return None;
    }
    let claims = URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1)?).ok()?;
    let claimed: Claimed = serde_json::from_slice(&claims).ok()?;
    Some(claimed.iss)
}

#[cfg(test)]
mod tests {
    use bz_kernel::{ExposeSecret, Rng};
    use serde_json::json;

    use super::*;
    use crate::{IdTokenKey, SigningKey};

    #[test]
    fn an_assertion_is_opened_by_the_key_that_signed_it_and_by_no_other() {
        let (mine, other) = (
            IdTokenKey::generate().unwrap(),
            IdTokenKey::generate().unwrap(),
        );
        let claims = json!({ "iss": "c", "sub": "c", "aud": ["a", "b"], "exp": 5, "jti": "j" });
        let signed = mine.sign(&claims).unwrap();
        let keys = |key: &IdTokenKey| ClientKeys::read(&json!({ "keys": [key.to_jwk()] })).unwrap();
        let opened = keys(&mine).open(signed.expose_secret()).unwrap();
        assert_eq!(
            (&*opened.iss, opened.aud.len(), opened.exp, opened.iat),
            ("c", 2, 5, None)
        );
        assert!(keys(&other).open(signed.expose_secret()).is_none());
        let mut unnamed = serde_json::to_value(mine.to_jwk()).unwrap();
        unnamed.as_object_mut().unwrap().remove("kid");
        let both = json!({ "keys": [other.to_jwk(), unnamed] });
        assert!(
            ClientKeys::read(&both)
                .unwrap()
                .open(signed.expose_secret())
                .is_some()
        );
        assert_eq!(claimed_client(signed.expose_secret()).as_deref(), Some("c"));
        assert!(claimed_client("x.y.z").is_none() && claimed_client("").is_none());
    }

    #[test]
    fn keys_that_are_no_use_or_a_danger_are_refused_with_a_reason() {
        let rsa = serde_json::to_value(IdTokenKey::generate().unwrap().to_jwk()).unwrap();
        let ed =
            serde_json::to_value(SigningKey::generate(&Rng::seeded(1)).unwrap().to_jwk()).unwrap();
        assert!(ClientKeys::read(&json!({ "keys": [rsa, ed] })).is_ok());
        let with = |key: &Value, name: &str, value: Value| {
            let mut key = key.clone();
            key[name] = value;
            key
        };
        let table = [
            (json!({}), "list"),
            (json!({ "keys": [] }), "1 to 5"),
            (json!({ "keys": vec![ed.clone(); 6] }), "1 to 5"),
            (json!({ "keys": [ed, ed] }), "one kid"),
            (
                json!({ "keys": [with(&rsa, "d", json!("AQAB"))] }),
                "public",
            ),
            (json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] }), "public"),
            (json!({ "keys": [with(&rsa, "n", json!("AQAB"))] }), "2048"),
            (json!({ "keys": [with(&rsa, "n", json!(""))] }), "2048"),
            (
                json!({ "keys": [with(&rsa, "use", json!("enc"))] }),
                "encryption",
            ),
            (
                json!({ "keys": [with(&rsa, "alg", json!("ES256"))] }),
                "kind",
            ),
            (
                json!({ "keys": [with(&rsa, "alg", json!("RS512"))] }),
                "another algorithm",
            ),
            (json!({ "keys": ["x"] }), "JSON Web Key"),
        ];
        for (set, part) in table {
            let fault = ClientKeys::read(&set).err().unwrap_or_default();
            assert!(fault.contains(part), "{set}: {fault}");
        }
    }
}
