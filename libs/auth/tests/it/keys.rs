//! Keys that come, go and cannot be had.

use bz_auth::{AuthError, JwkSet, Revocation, RevocationPage, RevokedKind, SigningKey, Verifier};
use bz_kernel::FixedClock;
use chrono::TimeDelta;
use serde_json::json;

use crate::support::{ISSUER, Server, clock, jwks, key, signed, token, user_claims};

fn text(jwks: &JwkSet) -> Option<String> {
    Some(serde_json::to_string(jwks).unwrap())
}

#[expect(clippy::disallowed_methods, reason = "the test is its own client")]
async fn remote(keys: &[&SigningKey]) -> (Server, Verifier, FixedClock) {
    let server = Server::start(text(&jwks(keys))).await;
    let (clock, hand) = clock();
    let verifier = Verifier::remote(
        server.url("/.well-known/jwks.json"),
        ISSUER.into(),
        clock,
        reqwest::Client::new(),
    );
    (server, verifier, hand)
}

/// A token that lives as long as the test needs.
fn lasting(key: &SigningKey) -> String {
    let mut claims = user_claims(&["owner"]);
    claims.exp += 86_400;
    token(key, &claims)
}

/// The same, but not one that was verified before.
fn another(key: &SigningKey, n: u128) -> String {
    let mut claims = user_claims(&["owner"]);
    claims.exp += 86_400;
    claims.jti = uuid::Uuid::from_u128(n);
    token(key, &claims)
}

#[tokio::test]
async fn keys_are_fetched_once_for_many_callers_and_again_after_ten_minutes() {
    let (server, verifier, hand) = remote(&[&key(1)]).await;
    let calls = (0..50).map(|n| {
        let verifier = verifier.clone();
        tokio::spawn(async move { verifier.verify(&another(&key(1), n)).await.map(drop) })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!(server.count(), 1);
    hand.advance(TimeDelta::minutes(9));
    verifier.verify(&another(&key(1), 100)).await.unwrap();
    assert_eq!(server.count(), 1);
    hand.advance(TimeDelta::minutes(1));
    verifier.verify(&another(&key(1), 101)).await.unwrap();
    // The second fetch runs beside the call; a key that is new with it is found by waiting for it.
    server.set(text(&jwks(&[&key(1), &key(2)])));
    hand.advance(TimeDelta::seconds(30));
    verifier.verify(&another(&key(2), 102)).await.unwrap();
    assert!((2..=3).contains(&server.count()));
}

#[tokio::test]
async fn a_flood_of_unknown_key_ids_costs_identity_one_question_in_thirty_seconds() {
    let (server, verifier, hand) = remote(&[&key(1)]).await;
    verifier.verify(&lasting(&key(1))).await.unwrap();
    assert_eq!(server.count(), 1);
    for round in 0..3 {
        for n in 0..200 {
            let header = json!({"typ": "at+jwt", "alg": "EdDSA", "kid": format!("unknown-{n}")});
            let answer = verifier.verify(&signed(&key(2), &header, b"{}")).await;
            assert_eq!(answer.unwrap_err(), AuthError::Invalid("unknown key"));
        }
        assert_eq!(server.count(), 1 + round);
        hand.advance(TimeDelta::seconds(30));
    }
}

#[tokio::test]
async fn a_rotated_key_is_found_and_tokens_of_a_key_that_is_gone_are_refused_though_they_were_verified()
 {
    let (server, verifier, hand) = remote(&[&key(1)]).await;
    let old = lasting(&key(1));
    verifier.verify(&old).await.unwrap();
    server.set(text(&jwks(&[&key(2)])));
    hand.advance(TimeDelta::seconds(30));
    verifier.verify(&lasting(&key(2))).await.unwrap();
    assert_eq!(
        verifier.verify(&old).await.unwrap_err(),
        AuthError::Invalid("unknown key")
    );
}

#[tokio::test]
async fn while_identity_is_down_old_keys_serve_for_an_hour_and_then_nothing_is_decided() {
    let (server, verifier, hand) = remote(&[&key(1)]).await;
    verifier.verify(&lasting(&key(1))).await.unwrap();
    server.set(None);
    for n in 0..60 {
        hand.advance(TimeDelta::minutes(1));
        verifier.verify(&another(&key(1), n)).await.unwrap();
    }
    hand.advance(TimeDelta::minutes(10));
    assert_eq!(
        verifier.verify(&another(&key(1), 1000)).await.unwrap_err(),
        AuthError::KeysUnavailable
    );
    server.set(text(&jwks(&[&key(1)])));
    hand.advance(TimeDelta::seconds(30));
    verifier.verify(&another(&key(1), 1001)).await.unwrap();
}

#[tokio::test]
async fn without_any_key_a_good_token_is_neither_accepted_nor_refused() {
    let (server, verifier, hand) = remote(&[&key(1)]).await;
    server.set(None);
    assert_eq!(
        verifier.verify(&lasting(&key(1))).await.unwrap_err(),
        AuthError::KeysUnavailable
    );
    server.set(Some("<html>".into()));
    hand.advance(TimeDelta::seconds(1));
    assert_eq!(
        verifier.verify(&lasting(&key(1))).await.unwrap_err(),
        AuthError::KeysUnavailable
    );
    server.set(Some(r#"{"keys":[]}"#.into()));
    hand.advance(TimeDelta::seconds(1));
    assert_eq!(
        verifier.verify(&lasting(&key(1))).await.unwrap_err(),
        AuthError::KeysUnavailable
    );
    server.set(text(&jwks(&[&key(1)])));
    hand.advance(TimeDelta::seconds(1));
    verifier.verify(&lasting(&key(1))).await.unwrap();
}

#[tokio::test]
async fn keys_of_other_kinds_in_the_set_are_left_alone() {
    let (server, verifier, _) = remote(&[]).await;
    let mut set = serde_json::to_value(jwks(&[&key(1)])).unwrap();
    let keys = set["keys"].as_array_mut().unwrap();
    keys.push(json!({"kty": "RSA", "kid": "id-token", "alg": "RS256", "use": "sig", "n": "sXch", "e": "AQAB"}));
    keys.push(json!({"kty": "OKP", "kid": "short", "crv": "Ed25519", "x": "AAAA"}));
    keys.push(json!({"kty": "oct", "kid": "secret", "k": "AAAA"}));
    server.set(Some(set.to_string()));
    verifier.verify(&lasting(&key(1))).await.unwrap();
    let header = json!({"typ": "at+jwt", "alg": "EdDSA", "kid": "id-token"});
    assert!(
        verifier
            .verify(&signed(&key(2), &header, b"{}"))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_token_that_was_verified_before_is_refused_once_it_is_revoked() {
    let (_server, verifier, hand) = remote(&[&key(1)]).await;
    let (first, claims) = (lasting(&key(1)), user_claims(&["owner"]));
    verifier.verify(&first).await.unwrap();
    let revocation = Revocation {
        kind: RevokedKind::User,
        tenant_id: claims.tid.unwrap(),
        subject: claims.sub.parse().unwrap(),
        at: i64::try_from(claims.iat).unwrap() * 1000,
    };
    let page = RevocationPage {
        items: vec![revocation],
        floor: None,
        next: "1:1:".into(),
    };
    verifier.revocations().add(&page);
    for token in [&first, &another(&key(1), 2)] {
        assert_eq!(verifier.verify(token).await, Err(AuthError::Revoked));
    }
    assert_eq!(verifier.verify_past(&first).await.unwrap().sub, claims.sub);
    hand.advance(TimeDelta::seconds(1));
    let mut later = user_claims(&["owner"]);
    later.iat += 1;
    verifier.verify(&token(&key(1), &later)).await.unwrap();
}
