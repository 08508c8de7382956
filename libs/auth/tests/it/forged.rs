//! Every way of forging a token that is known from other systems (RFC 8725, and the advisories of JWT libraries).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bz_auth::{AuthError, Verifier};
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::support::{ISSUER, Server, clock, jwks, key, signed, start, token, user_claims};

fn verifier() -> Verifier {
    let verifier = Verifier::local(ISSUER.into(), clock().0);
    verifier.install(&jwks(&[&key(1)]));
    verifier
}

fn good_header() -> Value {
    json!({"typ": "at+jwt", "alg": "EdDSA", "kid": key(1).kid()})
}

fn good_payload() -> Value {
    serde_json::to_value(user_claims(&["owner"])).unwrap()
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

async fn assert_refused(what: &str, token: &str) {
    let answer = verifier().verify(token).await;
    assert!(
        matches!(answer, Err(AuthError::Invalid(_) | AuthError::Expired)),
        "{what}: {answer:?}"
    );
}

#[tokio::test]
async fn a_good_token_is_accepted_however_it_is_made() {
    let claims = user_claims(&["owner"]);
    assert_eq!(
        *verifier().verify(&token(&key(1), &claims)).await.unwrap(),
        claims
    );
    let by_hand = signed(
        &key(1),
        &good_header(),
        good_payload().to_string().as_bytes(),
    );
    assert_eq!(*verifier().verify(&by_hand).await.unwrap(), claims);
    let one_audience = with(good_payload(), "aud", json!("bizosaas"));
    let by_hand = signed(&key(1), &good_header(), one_audience.to_string().as_bytes());
    assert_eq!(*verifier().verify(&by_hand).await.unwrap(), claims);
}

#[tokio::test]
async fn tokens_without_a_good_signature_are_refused() {
    let good = token(&key(1), &user_claims(&["owner"]));
    let (message, signature) = good.rsplit_once('.').unwrap();
    for (what, token) in [
        ("no signature", format!("{message}.")),
        ("two parts", message.to_owned()),
        ("four parts", format!("{good}.{signature}")),
        (
            "zeroes",
            format!("{message}.{}", URL_SAFE_NO_PAD.encode([0; 64])),
        ),
        (
            "half a signature",
            format!("{message}.{}", &signature[..43]),
        ),
        ("padding", format!("{good}==")),
        (
            "another key with our id",
            signed(
                &key(2),
                &good_header(),
                good_payload().to_string().as_bytes(),
            ),
        ),
        ("empty", String::new()),
        ("dots", "..".to_owned()),
        (
            "64 KiB",
            format!(
                "{}.{}.{signature}",
                part(&good_header()),
                "A".repeat(64 * 1024)
            ),
        ),
        ("another payload", {
            let other = with(
                good_payload(),
                "tid",
                json!("00000000-0000-0000-0000-000000000002"),
            );
            format!("{}.{}.{signature}", part(&good_header()), part(&other))
        }),
    ] {
        assert_refused(what, &token).await;
    }
}

#[tokio::test]
async fn an_algorithm_other_than_that_of_the_key_is_refused() {
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = with(good_header(), "alg", json!(alg));
        assert_refused(
            alg,
            &format!("{}.{}.", part(&header), part(&good_payload())),
        )
        .await;
        assert_refused(
            alg,
            &signed(&key(1), &header, good_payload().to_string().as_bytes()),
        )
        .await;
    }
    let jwk = key(1).to_jwk();
    let x = serde_json::to_value(&jwk).unwrap()["x"]
        .as_str()
        .unwrap()
        .to_owned();
    let raw = URL_SAFE_NO_PAD.decode(&x).unwrap();
    let der = [
        &[
            0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
        ][..],
        &raw,
    ]
    .concat();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        base64::engine::general_purpose::STANDARD.encode(&der)
    );
    let known_bytes = [
        raw,
        x.into_bytes(),
        der,
        pem.into_bytes(),
        serde_json::to_vec(&jwk).unwrap(),
        vec![],
    ];
    for secret in known_bytes {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let mut header = Header::new(algorithm);
            header.typ = Some("at+jwt".into());
            header.kid = Some(key(1).kid().into());
            let token =
                jsonwebtoken::encode(&header, &good_payload(), &EncodingKey::from_secret(&secret))
                    .unwrap();
            assert_refused("HMAC with the public key", &token).await;
        }
    }
    for alg in [
        "ES256", "ES384", "RS256", "PS256", "Ed448", "ed25519", "A128KW",
    ] {
        let header = with(good_header(), "alg", json!(alg));
        assert_refused(
            alg,
            &signed(&key(1), &header, good_payload().to_string().as_bytes()),
        )
        .await;
    }
}

/// Pitfall 2: a header says where the key is, or what else is to be understood.
#[tokio::test]
async fn headers_that_bring_their_own_key_are_refused_and_no_address_in_them_is_called() {
    let trap = Server::start(Some(serde_json::to_string(&jwks(&[&key(2)])).unwrap())).await;
    let url = trap.url("/jwks.json");
    let cases = [
        ("jku", json!(url)),
        ("x5u", json!(url)),
        ("jwk", serde_json::to_value(key(2).to_jwk()).unwrap()),
        ("x5c", json!(["AAAA"])),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("kid", json!("../../../../dev/null")),
        ("kid", json!("' OR 1=1 --")),
        ("kid", json!("k".repeat(2048))),
        ("kid", json!("")),
        ("kid", json!(7)),
        ("kid", json!(null)),
        ("kid", json!(url)),
        ("kid", json!(key(2).kid())),
        ("typ", json!("JWT")),
        ("typ", json!("at+JWT ")),
        ("typ", json!("application/at+jwt")),
        ("typ", json!(null)),
    ];
    for (name, value) in cases {
        let header = with(good_header(), name, value);
        for signer in [key(1), key(2)] {
            let token = signed(&signer, &header, good_payload().to_string().as_bytes());
            assert_refused(name, &token).await;
        }
    }
    assert_eq!(trap.count(), 0);
}

/// Pitfall 3: a claim of a wrong type passes for one that is absent.
#[tokio::test]
async fn claims_of_the_wrong_type_or_value_are_refused() {
    let cases = [
        ("iss", json!("https://id.example/")),
        ("iss", json!("https://ID.example")),
        ("iss", json!("http://id.example")),
        ("iss", json!("https://id.example:443")),
        ("iss", json!(["https://id.example"])),
        ("aud", json!("superset")),
        ("aud", json!([])),
        ("aud", json!(["superset"])),
        ("aud", json!({"bizosaas": true})),
        ("aud", json!("")),
        ("tid", json!("acme")),
        ("tid", json!(1)),
        ("tid", json!("")),
        ("tid", json!({})),
        ("sid", json!("x")),
        ("jti", json!("x")),
        ("sub", json!(7)),
        ("roles", json!("owner")),
        ("scope", json!(["a"])),
    ];
    for (name, value) in cases {
        let payload = with(good_payload(), name, value.clone());
        assert_refused(
            &format!("{name}={value}"),
            &signed(&key(1), &good_header(), payload.to_string().as_bytes()),
        )
        .await;
    }
    for name in ["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id"] {
        let payload = without(good_payload(), name);
        assert_refused(
            name,
            &signed(&key(1), &good_header(), payload.to_string().as_bytes()),
        )
        .await;
    }
}

#[tokio::test]
async fn times_that_are_not_whole_seconds_are_refused() {
    let later = start().timestamp() + 60;
    for name in ["exp", "nbf", "iat"] {
        for value in [
            "\"never\"".to_owned(),
            format!("\"{later}\""),
            format!("[{later}]"),
            format!("{later}.5"),
            format!("{later}.0"),
            "-1".into(),
            "1e400".into(),
            "1e9".into(),
            "99999999999999999999999999".into(),
            "null".into(),
            "true".into(),
            "{}".into(),
        ] {
            let payload = without(good_payload(), name).to_string();
            let payload = format!("{{\"{name}\":{value},{}", &payload[1..]);
            assert_refused(
                &payload,
                &signed(&key(1), &good_header(), payload.as_bytes()),
            )
            .await;
        }
        let twice = format!("{{\"{name}\":1,{}", &good_payload().to_string()[1..]);
        assert_refused(
            "a claim that is there twice",
            &signed(&key(1), &good_header(), twice.as_bytes()),
        )
        .await;
    }
    for payload in ["", "null", "[]", "{}", "{", "\"x\""] {
        assert_refused(
            payload,
            &signed(&key(1), &good_header(), payload.as_bytes()),
        )
        .await;
    }
}

#[tokio::test]
async fn a_token_is_valid_for_its_time_with_half_a_minute_at_both_ends() {
    let (clock, hand) = clock();
    let verifier = Verifier::local(ISSUER.into(), clock);
    verifier.install(&jwks(&[&key(1)]));
    let token = token(&key(1), &user_claims(&["owner"]));
    hand.advance(TimeDelta::seconds(-31));
    assert_eq!(
        verifier.verify(&token).await.unwrap_err(),
        AuthError::Invalid("not valid yet")
    );
    hand.advance(TimeDelta::seconds(1));
    assert!(verifier.verify(&token).await.is_ok());
    hand.advance(TimeDelta::seconds(30 + 600 + 29));
    assert!(
        verifier.verify(&token).await.is_ok(),
        "kept since the last call"
    );
    hand.advance(TimeDelta::seconds(1));
    assert_eq!(
        verifier.verify(&token).await.unwrap_err(),
        AuthError::Expired,
        "kept, but honoured no longer"
    );
    let other = Verifier::local(
        ISSUER.into(),
        bz_kernel::Clock::fixed(start() + TimeDelta::seconds(630)).0,
    );
    other.install(&jwks(&[&key(1)]));
    assert_eq!(other.verify(&token).await.unwrap_err(), AuthError::Expired);
}
