//! Tokens of applications: codes, rotation, userinfo, introspection, revocation, and what none of them may be used for.

use aws_lc_rs::{hmac, rand::SystemRandom, signature};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bz_kernel::Sealer;
use bz_testkit::{Role, Tenant};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    provider::{Application, Browser, VERIFIER, half_hash, header, payload, post, token},
    support::{IdentityApp, address, login, refresh, start},
};

fn owner() -> String {
    address(Tenant::Acme, Role::Owner)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The statuses of `/auth/me` and `/oauth2/userinfo` for a bearer token.
async fn statuses(app: &IdentityApp, bearer: &str) -> (u16, u16) {
    let client = app.anonymous.with_token(bearer);
    let me = client.get("/auth/me").await.status.as_u16();
    (me, client.get("/oauth2/userinfo").await.status.as_u16())
}

async fn introspect(app: &IdentityApp, client: &Application, token: &str) -> Value {
    let fields = [
        ("token", token),
        ("client_id", &client.client_id),
        ("client_secret", &client.secret),
    ];
    let answer = post(app, "/oauth2/introspect", &fields).await;
    answer.assert_status(200).json()
}

#[tokio::test]
async fn tokens_say_what_was_allowed_and_no_more() {
    let app = start().await;
    let mapping = json!({ "claim": "roles", "roles": { "viewer": "Gamma", "owner": "Admin" } });
    let client = Application::with(&app, json!({ "role_claim_mapping": mapping })).await;
    let viewer = address(Tenant::Acme, Role::Viewer);
    let request = client.request(&[("scope", "openid email tenant:read leads:write")]);
    let code = Browser::new(&app).code(&request, &viewer).await;
    let answer = token(&app, &client.redemption(&code))
        .await
        .assert_status(200)
        .json();
    assert_eq!(answer["expires_in"], 600);
    let access = payload(&answer["access_token"]);
    assert_eq!(header(&answer["access_token"])["typ"], "at+jwt");
    assert_eq!(access["aud"], json!(["https://identity.test", "bizosaas"]));
    assert_eq!(access["client_id"], json!(client.client_id));
    assert_eq!(access["scope"], "openid email tenant:read leads:write");
    // A viewer may not write, whatever the application asked for; and the role itself is not the application's.
    assert_eq!(
        (&access["entitlements"], access.get("roles")),
        (&json!(["tenant:read"]), None)
    );
    let id = payload(&answer["id_token"]);
    let kid = header(&answer["id_token"])["kid"].clone();
    let jwks = app.anonymous.get("/.well-known/jwks.json").await.json();
    assert!(
        jwks["keys"]
            .as_array()
            .unwrap()
            .iter()
            .any(|key| key["kid"] == kid && key["alg"] == "RS256")
    );
    assert_eq!(id["at_hash"], half_hash(text(&answer["access_token"])));
    assert_eq!((&id["acr"], &id["amr"]), (&json!("aal1"), &json!(["pwd"])));
    assert_eq!(
        id["exp"].as_i64().unwrap() - id["iat"].as_i64().unwrap(),
        600
    );
    assert_eq!(id["auth_time"], app.core.sources.now().timestamp());
    let told = json!({ "sub": id["sub"], "tid": Tenant::Acme.id(), "email": viewer, "email_verified": false, "roles": ["Gamma"] });
    for name in ["sub", "tid", "email", "email_verified", "roles"] {
        assert_eq!(id[name], told[name], "{name}");
    }
    let bearer = text(&answer["access_token"]);
    let by_get = app
        .anonymous
        .with_token(bearer)
        .get("/oauth2/userinfo")
        .await
        .assert_status(200)
        .json();
    let by_post = app
        .anonymous
        .with_token(bearer)
        .request(http::Method::POST, "/oauth2/userinfo")
        .await;
    let by_form = post(&app, "/oauth2/userinfo", &[("access_token", bearer)]).await;
    assert_eq!(
        (by_get, by_post.json(), by_form.json()),
        (told.clone(), told.clone(), told)
    );
    // Never in the address; never twice.
    let in_query = app
        .anonymous
        .get(&format!("/oauth2/userinfo?access_token={bearer}"))
        .await;
    in_query.assert_status(401);
    let twice = app
        .anonymous
        .with_token(bearer)
        .request(http::Method::POST, "/oauth2/userinfo");
    twice
        .form(&[("access_token", bearer)])
        .await
        .assert_status(400);
}

/// Pitfall 10: of many redemptions at once one wins; a code that comes again ends what came of it.
#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_redemptions_at_once_one_wins_and_a_second_use_ends_its_tokens() {
    let app = start().await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    for round in 0..5 {
        let code = browser.code(&client.request(&[]), &owner()).await;
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let fields = client.redemption(&code);
                let request = app
                    .anonymous
                    .request(http::Method::POST, "/oauth2/token")
                    .form(&fields);
                tokio::spawn(async move { request.await })
            })
            .collect();
        let mut winners = Vec::new();
        for task in tasks {
            let answer = task.await.unwrap();
            match answer.status.as_u16() {
                200 => winners.push(answer.json()),
                400 => assert_eq!(answer.json()["error"], "invalid_grant"),
                _ => panic!("{}", answer.describe()),
            }
        }
        assert_eq!(winners.len(), 1, "round {round}");
        // Nineteen second uses: the tokens of the winner are good for nothing.
        let access = text(&winners[0]["access_token"]);
        assert_eq!(statuses(&app, access).await.1, 401);
        let late = client.refresh(&app, &winners[0]["refresh_token"], "").await;
        assert_eq!(late.assert_status(400).json()["error"], "invalid_grant");
    }
    let code = browser.code(&client.request(&[]), &owner()).await;
    let first = token(&app, &client.redemption(&code))
        .await
        .assert_status(200)
        .json();
    assert_eq!(statuses(&app, text(&first["access_token"])).await.1, 200);
    // Somebody who only has the code cannot end anything with it.
    let mut stolen = client.redemption(&code);
    stolen.retain(|(name, _)| *name != "code_verifier");
    let wrong = "a".repeat(43);
    stolen.push(("code_verifier", &wrong));
    token(&app, &stolen).await.assert_status(400);
    assert_eq!(statuses(&app, text(&first["access_token"])).await.1, 200);
    token(&app, &client.redemption(&code))
        .await
        .assert_status(400);
    assert_eq!(statuses(&app, text(&first["access_token"])).await.1, 401);
    let mut admin = app.database.admin().await;
    let (entries, revocations): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM identity.audit_log WHERE action = 'oauth_code.reused'), \
                (SELECT count(*) FROM identity.revocations WHERE kind = 'session')",
    )
    .fetch_one(&mut admin)
    .await
    .unwrap();
    assert_eq!((entries, revocations), (6, 6));
}

#[tokio::test]
async fn a_code_is_good_for_a_minute_its_client_and_its_address() {
    let app = start().await;
    let client = Application::register(&app).await;
    let other = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    let code = browser.code(&client.request(&[]), &owner()).await;
    let good = client.redemption(&code);
    let change = |name: &'static str, value: &'static str| {
        let mut fields = good.clone();
        fields.retain(|(known, _)| *known != name);
        fields.push((name, value));
        fields
    };
    for (fields, status, error) in [
        (other.redemption(&code), 400, "invalid_grant"),
        (
            change("redirect_uri", "https://app.example.com/cb"),
            400,
            "invalid_grant",
        ),
        (change("redirect_uri", ""), 400, "invalid_grant"),
        (change("code", ""), 400, "invalid_request"),
        (change("code", "ac1.x.y"), 400, "invalid_grant"),
        (change("client_secret", "ocs_x"), 401, "invalid_client"),
        (change("client_secret", ""), 401, "invalid_client"),
        (change("client_id", ""), 401, "invalid_client"),
        (change("client_id", "web"), 401, "invalid_client"),
        (change("grant_type", "password"), 401, "invalid_client"),
    ] {
        let answer = token(&app, &fields).await.assert_status(status);
        assert_eq!(answer.json()["error"], error, "{fields:?}");
    }
    app.clock.advance(TimeDelta::seconds(60));
    assert_eq!(
        token(&app, &good).await.assert_status(400).json()["error"],
        "invalid_grant"
    );
}

#[tokio::test]
async fn a_client_shows_who_it_is_in_the_way_it_is_registered_for() {
    let app = start().await;
    let basic = Application::with(
        &app,
        json!({ "token_endpoint_auth_method": "client_secret_basic" }),
    )
    .await;
    let public = Application::with(&app, json!({ "token_endpoint_auth_method": "none" })).await;
    assert_eq!(public.secret, "");
    let mut browser = Browser::new(&app);
    let code = browser.code(&basic.request(&[]), &owner()).await;
    token(&app, &basic.redemption(&code))
        .await
        .assert_status(401);
    let mut fields = basic.redemption(&code);
    fields.retain(|(name, _)| !name.starts_with("client_"));
    // As RFC 6749 has it, each half is encoded like a form; some clients encode more than is needed.
    let id = basic.client_id.replace('_', "%5F");
    let credentials = format!(
        "Basic {}",
        STANDARD.encode(format!("{id}:{}", basic.secret))
    );
    let request = || app.anonymous.request(http::Method::POST, "/oauth2/token");
    let with_other = [fields.clone(), vec![("client_id", &*public.client_id)]].concat();
    request()
        .form(&with_other)
        .header("authorization", &credentials)
        .await
        .assert_status(400);
    request()
        .form(&fields)
        .header("authorization", &credentials)
        .await
        .assert_status(200);
    let code = browser.code(&public.request(&[]), &owner()).await;
    let mut fields = public.redemption(&code);
    fields.retain(|(name, _)| *name != "client_secret");
    token(&app, &fields).await.assert_status(200);
}

#[tokio::test]
async fn a_refresh_token_rotates_for_its_client_and_the_scope_may_be_narrower() {
    let app = start().await;
    let client = Application::register(&app).await;
    let other = Application::register(&app).await;
    let tokens = client.tokens(&app, &owner()).await;
    let first = &tokens["refresh_token"];
    assert_eq!(
        other
            .refresh(&app, first, "")
            .await
            .assert_status(400)
            .json()["error"],
        "invalid_grant"
    );
    refresh(&app, first)
        .await
        .assert_problem(401, "refresh_token_invalid");
    let wider = client
        .refresh(&app, first, "openid tenant:read")
        .await
        .assert_status(400);
    assert_eq!(wider.json()["error"], "invalid_scope");
    app.clock.advance(TimeDelta::minutes(5));
    let narrow = client
        .refresh(&app, first, "openid")
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&narrow["scope"], &payload(&narrow["access_token"])["scope"]),
        (&json!("openid"), &json!("openid"))
    );
    let (before, after) = (payload(&tokens["id_token"]), payload(&narrow["id_token"]));
    for same in ["iss", "sub", "aud", "auth_time", "sid"] {
        assert_eq!(before[same], after[same], "{same}");
    }
    assert!(after.get("nonce").is_none() && after.get("email").is_none());
    // The whole scope is there again the next time.
    let second = client
        .refresh(&app, &narrow["refresh_token"], "")
        .await
        .assert_status(200)
        .json();
    assert_eq!(second["scope"], tokens["scope"]);
    // Two generations old: stolen.
    client.refresh(&app, first, "").await.assert_status(400);
    client
        .refresh(&app, &second["refresh_token"], "")
        .await
        .assert_status(400);
    assert_eq!(statuses(&app, text(&second["access_token"])).await.1, 401);
    // And a login of the user's own is no application's.
    let own = login(&app, &owner(), crate::support::PASSWORD).await.json();
    client
        .refresh(&app, &own["refresh_token"], "")
        .await
        .assert_status(400);
    refresh(&app, &own["refresh_token"])
        .await
        .assert_status(200);
}

#[tokio::test]
async fn without_offline_access_or_the_grant_there_is_no_refresh_token() {
    let app = start().await;
    let client = Application::register(&app).await;
    let only_codes =
        Application::with(&app, json!({ "grant_types": ["authorization_code"] })).await;
    let code = Browser::new(&app)
        .code(&client.request(&[("scope", "openid")]), &owner())
        .await;
    let answer = token(&app, &client.redemption(&code)).await.json();
    assert!(answer["id_token"].is_string() && answer.get("refresh_token").is_none());
    let tokens = only_codes.tokens(&app, &owner()).await;
    assert!(tokens.get("refresh_token").is_none());
    let refused = only_codes
        .refresh(&app, &json!("rt1.x.y"), "")
        .await
        .assert_status(400);
    assert_eq!(refused.json()["error"], "unauthorized_client");
}

/// Pitfall 4: each credential opens what it is for and nothing else.
#[tokio::test]
async fn no_credential_passes_for_another() {
    let app = start().await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    let code = browser.code(&client.request(&[]), &owner()).await;
    let unused = browser.code(&client.request(&[]), &owner()).await;
    let tokens = token(&app, &client.redemption(&code)).await.json();
    let own = login(&app, &owner(), crate::support::PASSWORD).await.json();
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
    // With a permission the platform accepts it where the permission is named, and never for the user's own account.
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

/// Pitfalls 1, 5: the public keys are no secrets to sign with, the key of ID tokens signs no access token, and tokens of
/// another audience or issuer are refused.
#[tokio::test]
async fn the_key_of_id_tokens_makes_no_access_token() {
    let app = start().await;
    let client = Application::register(&app).await;
    let tokens = client.tokens(&app, &owner()).await;
    let jwks = app.anonymous.get("/.well-known/jwks.json").await.json();
    let rsa = jwks["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kty"] == "RSA")
        .unwrap();
    let own = login(&app, &owner(), crate::support::PASSWORD).await.json();
    let claims = payload(&own["access_token"]);
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());

    let modulus = URL_SAFE_NO_PAD.decode(text(&rsa["n"])).unwrap();
    let secrets = [
        modulus,
        text(&rsa["n"]).as_bytes().to_vec(),
        rsa.to_string().into_bytes(),
    ];
    for kid in [&rsa["kid"], &header(&own["access_token"])["kid"]] {
        for secret in &secrets {
            let message = format!(
                "{}.{}",
                encode(&json!({ "alg": "HS256", "typ": "at+jwt", "kid": kid })),
                encode(&claims)
            );
            let tag = hmac::sign(
                &hmac::Key::new(hmac::HMAC_SHA256, secret),
                message.as_bytes(),
            );
            let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
            assert_eq!(statuses(&app, &forged).await, (401, 401));
        }
        for alg in ["none", "None", "EdDSA", "RS256", "ES256"] {
            let message = format!(
                "{}.{}",
                encode(&json!({ "alg": alg, "typ": "at+jwt", "kid": kid })),
                encode(&claims)
            );
            for signature in [
                "",
                "AAAA",
                text(&tokens["id_token"]).rsplit('.').next().unwrap(),
            ] {
                assert_eq!(
                    statuses(&app, &format!("{message}.{signature}")).await,
                    (401, 401),
                    "{alg}"
                );
            }
        }
    }

    // The real key, were somebody to have it: still no access token.
    let (kid, sealed): (String, Vec<u8>) = sqlx::query_as(
        "SELECT kid, sealed_private FROM identity.signing_keys WHERE algorithm = 'RS256'",
    )
    .fetch_one(&mut app.database.admin().await)
    .await
    .unwrap();
    let sealer = Sealer::new(
        &app.core.secret,
        "signing-keys",
        app.core.sources.rng.clone(),
    );
    let pair =
        signature::RsaKeyPair::from_pkcs8(&sealer.open(kid.as_bytes(), &sealed).unwrap()).unwrap();
    let mut of_provider = claims.clone();
    of_provider["aud"] = json!(["https://identity.test"]);
    for (alg, claims) in [
        ("RS256", &claims),
        ("EdDSA", &claims),
        ("RS256", &of_provider),
    ] {
        let message = format!(
            "{}.{}",
            encode(&json!({ "alg": alg, "typ": "at+jwt", "kid": kid })),
            encode(claims)
        );
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(
            &signature::RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            message.as_bytes(),
            &mut signature,
        )
        .unwrap();
        let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
        assert_eq!(statuses(&app, &forged).await, (401, 401), "{alg}");
    }
    for (name, value) in [
        ("aud", json!([client.client_id])),
        ("aud", json!([])),
        ("aud", json!("https://identity.test/")),
        ("iss", json!("https://identity.test/")),
        ("iss", json!("https://IDENTITY.test")),
        ("iss", json!("https://identity.test:443")),
    ] {
        let mut changed: Value = claims.clone();
        changed[name] = value;
        let Ok(changed) = serde_json::from_value(changed.clone()) else {
            continue;
        };
        let token = bz_testkit::signing_key().sign(&changed).unwrap();
        assert_eq!(
            statuses(&app, bz_kernel::ExposeSecret::expose_secret(&token)).await,
            (401, 401),
            "{name}"
        );
    }
}

#[tokio::test]
async fn introspection_is_for_the_tenants_own_applications_that_have_a_secret() {
    let app = start().await;
    let client = Application::register(&app).await;
    let tokens = client.tokens(&app, &owner()).await;
    let (access, refresh) = (
        text(&tokens["access_token"]),
        text(&tokens["refresh_token"]),
    );
    let answer = introspect(&app, &client, access).await;
    assert_eq!(
        (
            &answer["active"],
            &answer["client_id"],
            &answer["token_type"],
            &answer["scope"]
        ),
        (
            &json!(true),
            &json!(client.client_id),
            &json!("Bearer"),
            &tokens["scope"]
        )
    );
    assert_eq!(
        introspect(&app, &client, refresh).await["token_type"],
        "refresh_token"
    );
    // Another application of the tenant may know of access tokens, which it may be sent; not of refresh tokens.
    let sibling = Application::register(&app).await;
    assert_eq!(introspect(&app, &sibling, access).await["active"], true);
    assert_eq!(
        introspect(&app, &sibling, refresh).await,
        json!({ "active": false })
    );
    let theirs = json!({ "name": "Theirs", "redirect_uris": ["https://a.example/"], "token_endpoint_auth_method": "client_secret_post" });
    let theirs = app
        .globex
        .owner
        .post("/api/oauth-clients", theirs)
        .await
        .json();
    let fields = [
        ("token", access),
        ("client_id", text(&theirs["client_id"])),
        ("client_secret", text(&theirs["client_secret"])),
    ];
    let foreign = post(&app, "/oauth2/introspect", &fields)
        .await
        .assert_status(200);
    assert_eq!(foreign.json(), json!({ "active": false }));

    let public = Application::with(&app, json!({ "token_endpoint_auth_method": "none" })).await;
    let nobody = [("token", access), ("client_id", &*public.client_id)];
    let answer = post(&app, "/oauth2/introspect", &nobody)
        .await
        .assert_status(401);
    assert_eq!(answer.json()["error"], "invalid_client");
    post(&app, "/oauth2/introspect", &fields[1..])
        .await
        .assert_status(400);
    post(&app, "/oauth2/introspect", &[("token", access)])
        .await
        .assert_status(401);
    app.clock.advance(TimeDelta::minutes(11));
    assert_eq!(
        introspect(&app, &client, access).await,
        json!({ "active": false })
    );
    assert_eq!(introspect(&app, &client, refresh).await["active"], true);
}

#[tokio::test]
async fn a_token_that_is_given_back_ends_its_session_if_it_is_the_clients_own() {
    let app = start().await;
    let client = Application::register(&app).await;
    let other = Application::register(&app).await;
    for kind in ["refresh_token", "access_token"] {
        let tokens = client.tokens(&app, &owner()).await;
        let revoke = async |by: &Application, token: &str| {
            let fields = [
                ("token", token),
                ("client_id", &by.client_id),
                ("client_secret", &by.secret),
            ];
            post(&app, "/oauth2/revoke", &fields)
                .await
                .assert_status(200);
        };
        revoke(&other, text(&tokens[kind])).await;
        revoke(&client, "garbage").await;
        revoke(
            &client,
            &text(&tokens["refresh_token"]).replace("rt1.", "rt1.A"),
        )
        .await;
        assert_eq!(
            introspect(&app, &client, text(&tokens["access_token"])).await["active"],
            true
        );
        revoke(&client, text(&tokens[kind])).await;
        revoke(&client, text(&tokens[kind])).await;
        assert_eq!(
            introspect(&app, &client, text(&tokens["access_token"])).await["active"],
            false
        );
        client
            .refresh(&app, &tokens["refresh_token"], "")
            .await
            .assert_status(400);
    }
    post(
        &app,
        "/oauth2/revoke",
        &[("token", "x"), ("client_id", &client.client_id)],
    )
    .await
    .assert_status(401);
}

#[tokio::test]
async fn a_user_who_is_disabled_or_gone_has_no_tokens() {
    let app = start().await;
    let client = Application::register(&app).await;
    let viewer = address(Tenant::Acme, Role::Viewer);
    let tokens = client.tokens(&app, &viewer).await;
    let mut browser = Browser::new(&app);
    let code = browser.code(&client.request(&[]), &viewer).await;
    sqlx::query("UPDATE identity.users SET status = 'disabled' WHERE email = $1")
        .bind(&viewer)
        .execute(&mut app.database.admin().await)
        .await
        .unwrap();
    token(&app, &client.redemption(&code))
        .await
        .assert_status(400);
    client
        .refresh(&app, &tokens["refresh_token"], "")
        .await
        .assert_status(400);
    assert_eq!(statuses(&app, text(&tokens["access_token"])).await.1, 401);
    let page = browser
        .authorize(&client.request(&[]))
        .await
        .assert_status(200);
    assert!(page.text().contains("name=\"password\""));
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
    let secret_of = |text: &str| text.rsplit(['.', '_']).next().unwrap().to_owned();
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
