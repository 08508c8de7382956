//! Access tokens: whatever a header and claims say, a token without our signature, our type and our issuer is refused.

use std::sync::LazyLock;

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bz_auth::{
    AUDIENCE, JwkSet, SigningKey, Verifier,
    client_assertion::{ClientKeys, claimed_client},
};
use bz_kernel::{Clock, Rng};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::oauth::assertion;

const ISSUER: &str = "https://id.example.com";
const NOW: i64 = 1_800_000_000;

struct Fixture {
    verifier: Verifier,
    pair: Ed25519KeyPair,
    kid: String,
    jwk: Value,
    runtime: Runtime,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let made = SigningKey::generate(&Rng::seeded(1)).ok().and_then(|key| {
        let pair = Ed25519KeyPair::from_pkcs8(key.pkcs8()).ok()?;
        let (clock, _hand) = Clock::fixed(DateTime::<Utc>::from_timestamp(NOW, 0)?);
        let verifier = Verifier::local(ISSUER.to_owned(), clock);
        verifier.install(&JwkSet {
            keys: vec![key.to_jwk()],
        });
        let runtime = Builder::new_current_thread().build().ok()?;
        Some(Fixture {
            verifier,
            pair,
            kid: key.kid().to_owned(),
            jwk: serde_json::to_value(key.to_jwk()).ok()?,
            runtime,
        })
    });
    match made {
        Some(fixture) => fixture,
        None => panic!("a key, an instant and a runtime can be had"),
    }
});

/// The first byte says what the rest is: `h` a header, `c` claims, each in a token that is otherwise good and signed;
/// anything else is a whole token of a stranger.
pub fn access_token(data: &[u8]) {
    match data.split_first() {
        Some((b'h', header)) => with_header(header),
        Some((b'c', claims)) => with_claims(claims),
        _ => {
            let token = String::from_utf8_lossy(data);
            assert!(verify(&token).is_none(), "a stranger made {token:?}");
            if let Some((front, _)) = token.rsplit_once('.') {
                assert!(verify(&format!("{front}.")).is_none());
            }
        }
    }
}

/// `KID` in a header stands for the id of the key, which no input can know.
fn with_header(header: &[u8]) {
    let header = String::from_utf8_lossy(header).replace("KID", &FIXTURE.kid);
    let header = header.as_bytes();
    let token = signed(header, good_claims().to_string().as_bytes());
    if verify(&token).is_some() {
        let header: Value = serde_json::from_slice(header).unwrap_or_default();
        assert_eq!(
            (&header["alg"], &header["typ"], &header["kid"]),
            (&json!("EdDSA"), &json!("at+jwt"), &json!(FIXTURE.kid)),
            "{header}"
        );
        for name in ["jku", "x5u", "x5c", "jwk", "crit"] {
            assert!(header.get(name).is_none_or(Value::is_null), "{header}");
        }
    }
}

fn with_claims(claims: &[u8]) {
    let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": FIXTURE.kid });
    let token = signed(header.to_string().as_bytes(), claims);
    if let Some(read) = verify(&token) {
        assert_eq!(read.iss, ISSUER);
        assert!(read.aud.iter().any(|audience| audience == AUDIENCE));
        let now = NOW.unsigned_abs();
        assert!(now < read.exp.saturating_add(31) && read.nbf <= now + 30 && read.iat <= now + 30);
    }
}

/// The first byte says what the rest is: `k` the keys that a client registers, `c` the claims of an assertion that it signed;
/// anything else is the assertion of a stranger.
pub fn client_assertion(data: &[u8]) {
    let own = || ClientKeys::read(&json!({ "keys": [FIXTURE.jwk] }));
    match data.split_first() {
        Some((b'k', keys)) => {
            let keys: Value = serde_json::from_slice(keys).unwrap_or_default();
            if let Ok(read) = ClientKeys::read(&keys) {
                let strangers = signed(br#"{"alg":"EdDSA"}"#, good_claims().to_string().as_bytes());
                let is_ours = keys.to_string().contains(&FIXTURE.jwk["x"].to_string());
                assert!(is_ours || read.open(&strangers).is_none(), "{keys}");
            }
        }
        Some((b'c', claims)) => {
            let token = signed(br#"{"alg":"EdDSA"}"#, claims);
            if let Some(opened) = own().ok().and_then(|keys| keys.open(&token)) {
                assert_eq!(claimed_client(&token).as_ref(), Some(&opened.iss));
                let now = DateTime::<Utc>::from_timestamp(NOW, 0).unwrap_or_default();
                if let Some(ends) = assertion::end(&opened, now) {
                    let lasts = (ends - now).num_seconds();
                    assert!(
                        lasts > 0 && lasts <= 3660 && !opened.jti.is_empty(),
                        "{opened:?}"
                    );
                }
            }
        }
        _ => {
            let text = String::from_utf8_lossy(data);
            let _nobody = claimed_client(&text);
            let opened = own().ok().and_then(|keys| keys.open(&text));
            assert!(opened.is_none(), "a stranger made {text:?}");
        }
    }
}

fn good_claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "s", "aud": AUDIENCE, "exp": NOW + 60, "iat": NOW, "nbf": NOW,
        "jti": "00000000-0000-0000-0000-000000000001", "client_id": "web",
    })
}

fn signed(header: &[u8], claims: &[u8]) -> String {
    let (header, claims) = (
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims),
    );
    let signature = FIXTURE.pair.sign(format!("{header}.{claims}").as_bytes());
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn verify(token: &str) -> Option<bz_auth::Claims> {
    let verified = FIXTURE.runtime.block_on(FIXTURE.verifier.verify(token));
    verified.ok().map(|claims| (*claims).clone())
}
