//! What no credential of an application may be used for.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bz_kernel::{ExposeSecret, Sealer};
use bz_testkit::signing_key;
use serde_json::{Value, json};

use crate::{
    provider::{Application, Browser, VERIFIER, introspect, owner, payload, statuses, text, token},
    support::{IdentityApp, PASSWORD, login, refresh, start},
};

/// Pitfall 4: each credential opens what it is for and nothing else.
#[tokio::test]
async fn no_credential_passes_for_another() {
    let app = start().await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    let code = browser.code(&client.request(&[]), &owner()).await;
    let unused = browser.code(&client.request(&[]), &owner()).await;
    let tokens = token(&app, &client.redemption(&code)).await.json();
    let own = login(&app, &owner(), PASSWORD).await.json();
    let cookie = browser
        .cookies
        .iter()
        .find(|(name, _)| name.contains("session"))
        .unwrap()
        .1
        .clone();
    // Bearer at the platform, bearer at userinfo, at introspection.
    let table = [
        (
            "the user's access token",
            text(&own["access_token"]),
            (200, 401),
            false,
        ),
        (
            "the user's refresh token",
            text(&own["refresh_token"]),
            (401, 401),
            false,
        ),
        (
            "the application's access token",
            text(&tokens["access_token"]),
            (401, 200),
            true,
        ),
        (
            "its refresh token",
            text(&tokens["refresh_token"]),
            (401, 401),
            true,
        ),
        ("its ID token", text(&tokens["id_token"]), (401, 401), false),
        ("its code", &*unused, (401, 401), false),
        ("its secret", &*client.secret, (401, 401), false),
        ("the browser's cookie", &*cookie, (401, 401), false),
    ];
    for (what, credential, expected, active) in table {
        assert_eq!(statuses(&app, credential).await, expected, "{what}");
        assert_eq!(
            introspect(&app, &client, credential).await["active"],
            active,
            "{what}"
        );
        if credential != text(&own["refresh_token"]) {
            refresh(&app, &json!(credential))
                .await
                .assert_problem(401, "refresh_token_invalid");
        }
        if credential != text(&tokens["refresh_token"]) {
            client
                .refresh(&app, &json!(credential), "")
                .await
                .assert_status(400);
        }
        if credential != unused {
            token(&app, &client.redemption(credential))
                .await
                .assert_status(400);
        }
        if credential != cookie {
            let mut stranger = Browser::new(&app);
            stranger
                .cookies
                .push(("__Host-bz_session".to_owned(), credential.to_owned()));
            let page = stranger.authorize(&client.request(&[])).await;
            page.assert_status(200);
        }
    }
}

/// Pitfall 4: an application's token is never good for the user's own account, whatever its scope.
#[tokio::test]
async fn no_application_reaches_the_account_of_a_user() {
    let app = start().await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    let request = client.request(&[("scope", "openid tenant:read")]);
    let code = browser.code(&request, &owner()).await;
    let wider = token(&app, &client.redemption(&code)).await.json();
    let bearer = app.anonymous.with_token(text(&wider["access_token"]));
    bearer
        .get("/auth/me")
        .await
        .assert_problem(403, "forbidden");
    bearer
        .post("/auth/logout", json!({}))
        .await
        .assert_problem(403, "forbidden");
}

/// A message of a JWT, to be signed.
fn message(alg: &str, kid: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({ "alg": alg, "typ": "at+jwt", "kid": kid });
    format!("{}.{}", encode(&header), encode(claims))
}

/// The claims of the owner's own access token.
async fn own_claims(app: &IdentityApp) -> Value {
    let own = login(app, &owner(), PASSWORD).await.json();
    payload(&own["access_token"])
}

async fn assert_refused(app: &IdentityApp, what: &str, forged: &str) {
    assert_eq!(statuses(app, forged).await, (401, 401), "{what}");
}

/// Pitfall 1: the public keys are no secrets to sign with, and no header chooses how a signature is checked.
#[tokio::test]
async fn nothing_is_signed_with_a_public_key() {
    let app = start().await;
    let client = Application::register(&app).await;
    let tokens = client.tokens(&app, &owner()).await;
    let claims = own_claims(&app).await;
    let jwks = app.anonymous.get("/.well-known/jwks.json").await.json();
    let keys = jwks["keys"].as_array().unwrap();
    let rsa = keys.iter().find(|key| key["kty"] == "RSA").unwrap();
    let modulus = text(&rsa["n"]);
    let secrets = [
        URL_SAFE_NO_PAD.decode(modulus).unwrap(),
        modulus.as_bytes().to_vec(),
        rsa.to_string().into_bytes(),
    ];
    let (_, real) = text(&tokens["id_token"]).rsplit_once('.').unwrap();
    for kid in keys.iter().map(|key| &key["kid"]) {
        let hs256 = message("HS256", kid, &claims);
        for secret in &secrets {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            let tag = URL_SAFE_NO_PAD.encode(hmac::sign(&key, hs256.as_bytes()));
            assert_refused(&app, "HS256", &format!("{hs256}.{tag}")).await;
        }
        for alg in ["none", "None", "EdDSA", "RS256", "ES256"] {
            let message = message(alg, kid, &claims);
            for signature in ["", "AAAA", real] {
                assert_refused(&app, alg, &format!("{message}.{signature}")).await;
            }
        }
    }
}

/// Pitfalls 1, 4: even the real key of ID tokens, were somebody to have it, signs no access token.
#[tokio::test]
async fn the_key_of_id_tokens_makes_no_access_token() {
    let app = start().await;
    Application::register(&app)
        .await
        .tokens(&app, &owner())
        .await;
    let (kid, sealed): (String, Vec<u8>) = sqlx::query_as(
        "SELECT kid, sealed_private FROM identity.signing_keys WHERE algorithm = 'RS256'",
    )
    .fetch_one(&mut app.database.admin().await)
    .await
    .unwrap();
    let core = &app.core;
    let sealer = Sealer::new(&core.secret, "signing-keys", core.sources.rng.clone());
    let pkcs8 = sealer.open(kid.as_bytes(), &sealed).unwrap();
    let pair = RsaKeyPair::from_pkcs8(&pkcs8).unwrap();
    let claims = own_claims(&app).await;
    let mut of_provider = claims.clone();
    of_provider["aud"] = json!(["https://identity.test"]);
    for (alg, claims) in [
        ("RS256", &claims),
        ("EdDSA", &claims),
        ("RS256", &of_provider),
    ] {
        let message = message(alg, &json!(kid), claims);
        let mut signature = vec![0; pair.public_modulus_len()];
        let random = SystemRandom::new();
        pair.sign(
            &RSA_PKCS1_SHA256,
            &random,
            message.as_bytes(),
            &mut signature,
        )
        .unwrap();
        let signature = URL_SAFE_NO_PAD.encode(signature);
        assert_refused(&app, alg, &format!("{message}.{signature}")).await;
    }
}

/// Pitfall 5: a token that is for another audience or of another issuer is refused, whoever signed it.
#[tokio::test]
async fn a_token_for_somebody_else_is_refused() {
    let app = start().await;
    let client = Application::register(&app).await;
    let claims = own_claims(&app).await;
    for (name, value) in [
        ("aud", json!([client.client_id])),
        ("aud", json!([])),
        ("aud", json!(["https://identity.test/"])),
        ("aud", json!(["Bizosaas"])),
        ("iss", json!("https://identity.test/")),
        ("iss", json!("https://IDENTITY.test")),
        ("iss", json!("https://identity.test:443")),
    ] {
        let mut changed = claims.clone();
        changed[name] = value;
        let signed = signing_key().sign(&serde_json::from_value(changed).unwrap());
        assert_refused(&app, name, signed.unwrap().expose_secret()).await;
    }
}

/// Pitfall 14: no secret is in a row that is read again: events, the audit log, remembered answers.
#[tokio::test]
async fn no_secret_is_kept_where_it_can_be_read() {
    let app = start().await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    let code = browser.code(&client.request(&[]), &owner()).await;
    let tokens = token(&app, &client.redemption(&code)).await.json();
    let cookie = browser
        .cookies
        .iter()
        .find(|(name, _)| name.contains("session"))
        .unwrap()
        .1
        .clone();
    // The end of each is a part of what is secret in it.
    let secret_of = |text: &str| text[text.len() - 20..].to_owned();
    let mut admin = app.database.admin().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'identity'",
    )
    .fetch_all(&mut admin)
    .await
    .unwrap();
    assert!(tables.len() > 10);
    for table in tables {
        let rows: Vec<String> =
            sqlx::query_scalar(&format!("SELECT t::text FROM identity.{table} t"))
                .fetch_all(&mut admin)
                .await
                .unwrap();
        let all = rows.join("\n");
        for secret in [
            &*code,
            &client.secret,
            &cookie,
            text(&tokens["refresh_token"]),
            text(&tokens["access_token"]),
            VERIFIER,
        ] {
            assert!(!all.contains(&secret_of(secret)), "{table}");
        }
    }
}
