//! Clients that show who they are by a signature: RFC 7523, `private_key_jwt`.

use bz_auth::IdTokenKey;
use bz_kernel::ExposeSecret;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    provider::{Application, Browser, owner, post, token},
    support::{IdentityApp, start},
};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ISSUER: &str = "https://identity.test";

fn keys(key: &IdTokenKey) -> Value {
    json!({ "keys": [key.to_jwk()] })
}

async fn application(app: &IdentityApp, key: &IdTokenKey) -> Application {
    let fields = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": keys(key) });
    let client = Application::with(app, fields).await;
    assert_eq!(client.secret, "", "there is nothing to share");
    client
}

/// A good assertion with other claims (`null`: without the claim).
fn assertion(app: &IdentityApp, key: &IdTokenKey, client_id: &str, changes: Value) -> String {
    let now = app.core.sources.now().timestamp();
    let mut claims = json!({
        "iss": client_id, "sub": client_id, "aud": ISSUER, "iat": now, "exp": now + 60,
        "jti": app.core.sources.id::<uuid::Uuid>(),
    });
    let Value::Object(changes) = changes else {
        panic!("changes are an object");
    };
    for (name, value) in changes {
        claims[name] = value;
    }
    claims
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    key.sign(&claims).unwrap().expose_secret().to_owned()
}

/// What the token endpoint answers to an assertion: the status and the error. The code is none, so that a client that was
/// recognised gets `invalid_grant`.
async fn answer(app: &IdentityApp, fields: &[(&str, &str)]) -> (u16, String) {
    let mut all = vec![
        ("grant_type", "authorization_code"),
        ("code", "ac1.none"),
        ("code_verifier", crate::provider::VERIFIER),
    ];
    all.extend(fields);
    let answer = token(app, &all).await;
    let error = answer.json()["error"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    (answer.status.as_u16(), error)
}

async fn by(app: &IdentityApp, text: &str) -> (u16, String) {
    answer(
        app,
        &[("client_assertion", text), ("client_assertion_type", TYPE)],
    )
    .await
}

fn known() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

fn unknown() -> (u16, String) {
    (401, "invalid_client".to_owned())
}

#[tokio::test]
async fn a_code_is_redeemed_and_tokens_are_looked_up_and_given_back_with_signatures() {
    let app = start().await;
    let key = IdTokenKey::generate().unwrap();
    let client = application(&app, &key).await;
    let code = Browser::new(&app)
        .code(&client.request(&[]), &owner())
        .await;
    let signed = || assertion(&app, &key, &client.client_id, json!({}));
    let mut fields = client.redemption(&code);
    fields.retain(|(name, _)| *name != "client_secret");
    let first = signed();
    fields.extend([
        ("client_assertion", &*first),
        ("client_assertion_type", TYPE),
    ]);
    let tokens = token(&app, &fields).await.assert_status(200).json();
    let access = tokens["access_token"].as_str().unwrap();
    let ask = async |path: &str, token: &str| {
        let text = signed();
        let fields = [
            ("token", token),
            ("client_assertion", &text),
            ("client_assertion_type", TYPE),
        ];
        post(&app, path, &fields).await.assert_status(200)
    };
    let seen = ask("/oauth2/introspect", access).await.json();
    assert_eq!(
        (&seen["active"], &seen["client_id"]),
        (&json!(true), &json!(client.client_id))
    );
    ask("/oauth2/revoke", tokens["refresh_token"].as_str().unwrap()).await;
    let seen = ask("/oauth2/introspect", access).await.json();
    assert_eq!(seen, json!({ "active": false }));
}

#[tokio::test]
async fn an_assertion_is_good_once_also_when_it_comes_twice_at_the_same_time() {
    let app = start().await;
    let key = IdTokenKey::generate().unwrap();
    let client = application(&app, &key).await;
    let text = assertion(&app, &key, &client.client_id, json!({}));
    assert_eq!(by(&app, &text).await, known());
    assert_eq!(by(&app, &text).await, unknown());
    // The id is what counts, not the text.
    let same = |aud: &str| {
        assertion(
            &app,
            &key,
            &client.client_id,
            json!({ "jti": "one", "aud": aud }),
        )
    };
    assert_eq!(by(&app, &same(ISSUER)).await, known());
    assert_eq!(
        by(&app, &same(&format!("{ISSUER}/oauth2/token"))).await,
        unknown()
    );
    let text = assertion(&app, &key, &client.client_id, json!({ "jti": "two" }));
    let answers = futures_util::future::join_all((0..8).map(|_| by(&app, &text))).await;
    assert_eq!(
        answers.iter().filter(|answer| **answer == known()).count(),
        1,
        "{answers:?}"
    );
    // Another client may choose the same id.
    let other = application(&app, &key).await;
    let theirs = assertion(&app, &key, &other.client_id, json!({ "jti": "two" }));
    assert_eq!(by(&app, &theirs).await, known());
}

#[tokio::test]
async fn an_assertion_says_who_made_it_for_whom_and_until_when() {
    let app = start().await;
    let key = IdTokenKey::generate().unwrap();
    let client = application(&app, &key).await;
    let now = app.core.sources.now().timestamp();
    let endpoint = format!("{ISSUER}/oauth2/token");
    for good in [
        json!({ "aud": endpoint }),
        json!({ "aud": ["https://other.example", ISSUER] }),
        json!({ "exp": now - 29, "iat": now - 60 }),
        json!({ "iat": now + 30, "nbf": now + 30 }),
        json!({ "iat": null, "exp": now + 3600 }),
    ] {
        let text = assertion(&app, &key, &client.client_id, good.clone());
        assert_eq!(by(&app, &text).await, known(), "{good}");
    }
    for bad in [
        json!({ "aud": "https://other.example" }),
        json!({ "aud": format!("{ISSUER}/") }),
        json!({ "aud": null }),
        json!({ "aud": [] }),
        json!({ "exp": now - 30 }),
        json!({ "exp": now + 3631 }),
        json!({ "exp": null }),
        json!({ "exp": "never" }),
        json!({ "iat": now + 31 }),
        json!({ "nbf": now + 31 }),
        json!({ "jti": null }),
        json!({ "jti": "" }),
        json!({ "sub": "somebody" }),
        json!({ "sub": null }),
        json!({ "iss": "oc_x" }),
        json!({ "iss": null }),
    ] {
        let text = assertion(&app, &key, &client.client_id, bad.clone());
        assert_eq!(by(&app, &text).await, unknown(), "{bad}");
    }
}

#[tokio::test]
async fn only_the_clients_own_keys_sign_for_it_and_only_a_client_that_signs_is_known_by_them() {
    let app = start().await;
    let (key, other) = (
        IdTokenKey::generate().unwrap(),
        IdTokenKey::generate().unwrap(),
    );
    let client = application(&app, &key).await;
    let theirs = application(&app, &other).await;
    let id = &client.client_id;
    assert_eq!(
        by(&app, &assertion(&app, &other, id, json!({}))).await,
        unknown()
    );
    assert_eq!(
        by(&app, &assertion(&app, &key, &theirs.client_id, json!({}))).await,
        unknown()
    );
    let with_secret = Application::register(&app).await;
    let text = assertion(&app, &key, &with_secret.client_id, json!({}));
    assert_eq!(by(&app, &text).await, unknown());
    // A client that signs is known by nothing else.
    assert_eq!(answer(&app, &[("client_id", id)]).await, unknown());
    let secret = [
        ("client_id", &**id),
        ("client_secret", &*with_secret.secret),
    ];
    assert_eq!(answer(&app, &secret).await, unknown());
    // Its ID tokens and the unsigned are no assertions.
    let good = assertion(&app, &key, id, json!({}));
    let (front, _) = good.rsplit_once('.').unwrap();
    for text in [&*format!("{front}."), front, "x", "a.b.c"] {
        assert_eq!(by(&app, text).await, unknown(), "{text}");
    }
    // After a change of the keys the old one is worth nothing.
    let path = format!("/api/oauth-clients/{}", client.id);
    let change = json!({ "jwks": keys(&other) });
    app.acme.owner.patch(&path, change).await.assert_status(200);
    assert_eq!(by(&app, &good).await, unknown());
    assert_eq!(
        by(&app, &assertion(&app, &other, id, json!({}))).await,
        known()
    );
}

#[tokio::test]
async fn two_ways_or_two_names_at_once_are_a_bad_request() {
    let app = start().await;
    let key = IdTokenKey::generate().unwrap();
    let client = application(&app, &key).await;
    let text = assertion(&app, &key, &client.client_id, json!({}));
    let invalid = (400, "invalid_request".to_owned());
    let signed = [
        ("client_assertion", &*text),
        ("client_assertion_type", TYPE),
    ];
    for more in [
        vec![signed[0], signed[1], ("client_secret", "x")],
        vec![signed[0], signed[1], ("client_id", "oc_other")],
        vec![signed[0], ("client_assertion_type", "x")],
        vec![signed[0]],
        vec![signed[1], ("client_id", &client.client_id)],
    ] {
        assert_eq!(answer(&app, &more).await, invalid, "{more:?}");
    }
    let own = [signed[0], signed[1], ("client_id", &client.client_id)];
    assert_eq!(
        answer(&app, &own).await,
        known(),
        "nothing of it was used before"
    );
}

#[tokio::test]
async fn a_service_account_gets_tokens_for_a_signature() {
    let app = start().await;
    let key = IdTokenKey::generate().unwrap();
    let owner = &app.acme.owner;
    let body = json!({ "name": "Importer", "role": "member", "jwks": keys(&key) });
    let account = owner
        .post("/api/service-accounts", body)
        .await
        .assert_status(201)
        .json();
    assert_eq!(account["jwks"]["keys"][0]["kid"], key.kid());
    let id = account["client_id"].as_str().unwrap();
    let ask = async |key: &IdTokenKey| {
        let text = assertion(&app, key, id, json!({}));
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion", &text),
            ("client_assertion_type", TYPE),
        ];
        let first = token(&app, &fields).await;
        token(&app, &fields).await.assert_status(401);
        first
    };
    let answer = ask(&key).await.assert_status(200).json();
    let program = app
        .anonymous
        .with_token(answer["access_token"].as_str().unwrap());
    let members = "/api/members";
    assert_ne!(program.get(members).await.status, 401);
    ask(&IdTokenKey::generate().unwrap())
        .await
        .assert_status(401);
    let path = format!("/api/service-accounts/{}", account["id"].as_str().unwrap());
    owner
        .patch(&path, json!({ "status": "disabled" }))
        .await
        .assert_status(200);
    ask(&key).await.assert_status(401);
    let change = json!({ "status": "active", "jwks": null });
    owner.patch(&path, change).await.assert_status(200);
    ask(&key).await.assert_status(401);
    let bad = json!({ "name": "x", "role": "viewer", "jwks": { "keys": [] } });
    owner
        .post("/api/service-accounts", bad)
        .await
        .assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn keys_are_registered_for_clients_that_sign_and_public_ones_only() {
    let app = start().await;
    let key = IdTokenKey::generate().unwrap();
    let mut private = keys(&key);
    private["keys"][0]["d"] = json!("AQAB");
    let register = async |method: &str, jwks: Value| {
        let mut request = json!({ "name": "A", "redirect_uris": ["https://a.example/cb"], "token_endpoint_auth_method": method });
        if !jwks.is_null() {
            request["jwks"] = jwks;
        }
        app.acme.owner.post("/api/oauth-clients", request).await
    };
    for (method, jwks) in [
        ("private_key_jwt", Value::Null),
        ("private_key_jwt", json!({ "keys": [] })),
        ("private_key_jwt", private),
        ("private_key_jwt", json!("https://a.example/jwks.json")),
        ("client_secret_basic", keys(&key)),
        ("none", keys(&key)),
    ] {
        let refused = register(method, jwks).await;
        let refused = refused.assert_problem(422, "validation_failed");
        assert_eq!(
            refused.json()["errors"][0]["pointer"],
            "/jwks",
            "{}",
            refused.text()
        );
    }
    let created = register("private_key_jwt", keys(&key))
        .await
        .assert_status(201)
        .json();
    assert_eq!(
        (&created["client_secret"], &created["jwks"]),
        (&Value::Null, &keys(&key))
    );
    let path = format!("/api/oauth-clients/{}", created["id"].as_str().unwrap());
    let rotate = app
        .acme
        .owner
        .post(&format!("{path}/rotate-secret"), json!({}))
        .await;
    rotate.assert_problem(409, "client_without_secret");
    let bad = app
        .acme
        .owner
        .patch(&path, json!({ "jwks": { "keys": [1] } }))
        .await;
    bad.assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn assertions_that_ended_long_ago_are_forgotten() {
    let app = start().await;
    let key = IdTokenKey::generate().unwrap();
    let client = application(&app, &key).await;
    by(&app, &assertion(&app, &key, &client.client_id, json!({}))).await;
    let count = async || -> i64 {
        let mut admin = app.database.admin().await;
        let sql = "SELECT count(*) FROM identity.client_assertions";
        sqlx::query_scalar(sql).fetch_one(&mut admin).await.unwrap()
    };
    let purge = async |before: TimeDelta| -> i64 {
        let mut tx = app.db().system().await.unwrap();
        let sql = "SELECT identity.purge_client_assertions($1, 100)";
        let gone = sqlx::query_scalar(sql).bind(app.core.sources.now() + before);
        let gone = gone.fetch_one(tx.conn()).await.unwrap();
        tx.commit().await.unwrap();
        gone
    };
    assert_eq!((purge(TimeDelta::seconds(60)).await, count().await), (0, 1));
    assert_eq!(
        (purge(TimeDelta::seconds(120)).await, count().await),
        (1, 0)
    );
}
