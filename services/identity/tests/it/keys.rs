use bz_auth::Verifier;
use bz_testkit::{TestApp, TestDb, signing_key};
use chrono::TimeDelta;
use identity::Identity;
use serde_json::Value;
use sqlx::Row;
use std::{sync::Arc, time::Duration};

use crate::{
    provider::{Application, header},
    support::{IdentityApp, builder, refresh, register, start},
};

async fn kids(app: &IdentityApp) -> Vec<Value> {
    let jwks = app
        .anonymous
        .get("/.well-known/jwks.json")
        .await
        .assert_status(200)
        .json();
    jwks["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["kid"].clone())
        .collect()
}

#[tokio::test]
async fn the_keys_are_public_cacheable_and_not_private() {
    let app = start().await;
    let answer = app
        .anonymous
        .get("/.well-known/jwks.json")
        .await
        .assert_status(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(
        answer.header("cache-control"),
        Some("public, max-age=300, stale-while-revalidate=600")
    );
    let key = answer.json()["keys"][0].clone();
    assert_eq!(key["kid"], signing_key().kid());
    assert_eq!(
        (&key["kty"], &key["crv"], &key["use"]),
        (&"OKP".into(), &"Ed25519".into(), &"sig".into())
    );
    assert!(key.get("d").is_none());
    let etag = answer.header("etag").unwrap();
    for known in [etag, "*", &format!("W/{etag}"), &format!("\"x\", {etag}")] {
        let again = app
            .anonymous
            .get("/.well-known/jwks.json")
            .header("if-none-match", known)
            .await
            .assert_status(304);
        assert!(again.body.is_empty());
        assert_eq!(again.header("etag"), Some(etag));
    }
    app.anonymous
        .get("/.well-known/jwks.json")
        .header("if-none-match", "\"x\"")
        .await
        .assert_status(200);
}

#[tokio::test]
async fn a_sibling_verifies_a_token_with_the_keys_it_fetches_over_http() {
    let app = start().await;
    let answer = register(&app, "ada@example.com").await;
    let url = app.listen().await.join("/.well-known/jwks.json").unwrap();
    let sibling = Verifier::remote(
        url,
        app.core.issuer.clone(),
        app.core.sources.clock.clone(),
        reqwest::Client::builder().no_proxy().build().unwrap(),
    );
    let claims = sibling
        .verify(answer["access_token"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(claims.sub, answer["user"]["id"].as_str().unwrap());
    let mut forged = answer["access_token"].as_str().unwrap().to_owned();
    forged.replace_range(forged.len() - 4.., "AAAA");
    assert!(sibling.verify(&forged).await.is_err());
}

#[tokio::test]
async fn replicas_that_start_at_once_on_an_empty_database_share_one_key() {
    let database = Arc::new(TestDb::new().await);
    let start = || {
        TestApp::<Identity>::builder()
            .env("DB_ACQUIRE_TIMEOUT", "30s")
            .database(Arc::clone(&database))
            .start()
    };
    let (a, b, c) = tokio::join!(start(), start(), start());
    let jwks = |app: TestApp<Identity>| async move {
        app.anonymous.get("/.well-known/jwks.json").await.json()
    };
    let (a, b, c) = (jwks(a).await, jwks(b).await, jwks(c).await);
    assert_eq!(a["keys"].as_array().unwrap().len(), 1);
    assert_eq!((&a, &a), (&b, &c));
}

#[tokio::test]
async fn the_private_key_is_not_in_the_database_in_the_clear() {
    let app = start().await;
    let sealed: Vec<u8> = sqlx::query_scalar("SELECT sealed_private FROM identity.signing_keys")
        .fetch_one(&mut app.database.admin().await)
        .await
        .unwrap();
    let key = signing_key();
    let seed = &key.pkcs8()[16..48];
    assert!(
        !sealed
            .windows(16)
            .any(|window| seed.windows(16).any(|plain| plain == window))
    );
}

#[tokio::test]
async fn a_successor_is_published_first_and_tokens_of_the_old_key_stay_good() {
    let app = start().await;
    let answer = register(&app, "ada@example.com").await;
    let old = kids(&app).await;
    app.clock.advance(TimeDelta::days(89));
    let app_of_day_89 = builder().beside(&app).start().await;
    let both = kids(&app_of_day_89).await;
    assert_eq!((both.len(), both.contains(&old[0])), (2, true));
    app.clock.advance(TimeDelta::days(1));
    let app_of_day_90 = builder().beside(&app).start().await;
    assert_eq!(kids(&app_of_day_90).await.len(), 2);
    let states = sqlx::query("SELECT kid, state FROM identity.signing_keys ORDER BY created_at")
        .fetch_all(&mut app.database.admin().await)
        .await
        .unwrap();
    let states: Vec<String> = states.iter().map(|row| row.get("state")).collect();
    assert_eq!(states, ["retired", "active"]);
    // The replica that has not read the keys again still signs with the old one, and the new replica accepts it.
    let second = register(&app, "grace@example.com").await;
    app_of_day_90
        .anonymous
        .with_token(second["access_token"].as_str().unwrap())
        .get("/auth/me")
        .await
        .assert_status(200);
    let third = register(&app_of_day_90, "joan@example.com").await;
    app_of_day_89
        .anonymous
        .with_token(third["access_token"].as_str().unwrap())
        .get("/auth/me")
        .await
        .assert_status(200);
    refresh(&app, &answer["refresh_token"])
        .await
        .assert_problem(401, "refresh_token_expired");
    app.clock.advance(TimeDelta::minutes(71));
    let later = builder().beside(&app).start().await;
    assert_eq!(
        kids(&later).await,
        [both.into_iter().find(|kid| *kid != old[0]).unwrap()]
    );
}

/// The public keys of one algorithm.
async fn kids_of(app: &IdentityApp, algorithm: &str) -> Vec<Value> {
    let jwks = app.anonymous.get("/.well-known/jwks.json").await.json();
    let keys = jwks["keys"].as_array().unwrap();
    let of = keys.iter().filter(|key| key["alg"] == algorithm);
    of.map(|key| key["kid"].clone()).collect()
}

/// Pitfall 17: every key signs and verifies before it is used; a provider that cannot would not come to be ready.
#[tokio::test]
async fn the_key_of_id_tokens_is_made_beside_the_start_and_by_one_replica() {
    let mut app = start().await;
    assert_eq!(kids_of(&app, "RS256").await, Vec::<Value>::new());
    let mut beside = builder().beside(&app).start().await;
    app.start_jobs();
    beside.start_jobs();
    let has_one = async |app: &IdentityApp| kids_of(app, "RS256").await.len() == 1;
    bz_testkit::wait_until(async || has_one(&app).await, Duration::from_secs(30)).await;
    bz_testkit::wait_until(async || has_one(&beside).await, Duration::from_secs(30)).await;
    assert_eq!(
        kids_of(&app, "RS256").await,
        kids_of(&beside, "RS256").await
    );
    app.stop_jobs().await;
    beside.stop_jobs().await;
}

/// Pitfall 13: whoever has fetched the keys within a day knows the one that signs, and the one that signed.
#[tokio::test]
async fn an_id_token_verifies_with_the_keys_of_the_day_before_and_after() {
    let app = start().await;
    let client = Application::register(&app).await;
    let sign = async |app: &IdentityApp| {
        let tokens = client.tokens(app, "owner@acme.test").await;
        header(&tokens["id_token"])["kid"].clone()
    };
    let first = sign(&app).await;
    assert_eq!(kids_of(&app, "RS256").await, std::slice::from_ref(&first));
    // Day 89: the job publishes the successor, which does not sign yet.
    app.clock.advance(TimeDelta::days(89));
    let mut day_89 = builder().beside(&app).start().await;
    day_89.start_jobs();
    bz_testkit::wait_until(
        async || kids_of(&day_89, "RS256").await.len() == 2,
        Duration::from_secs(30),
    )
    .await;
    day_89.stop_jobs().await;
    assert_eq!(sign(&day_89).await, first);
    let published = kids_of(&day_89, "RS256").await;
    // Day 90: it signs; what the old one signed still verifies.
    app.clock.advance(TimeDelta::days(1));
    let day_90 = builder().beside(&app).start().await;
    let second = sign(&day_90).await;
    assert!(second != first && published.contains(&second));
    assert!(kids_of(&day_90, "RS256").await.contains(&first));
    app.clock.advance(TimeDelta::minutes(71));
    let later = builder().beside(&app).start().await;
    assert_eq!(kids_of(&later, "RS256").await, [second]);
}
