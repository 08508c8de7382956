//! Tokens of applications: codes, and the rotation of refresh tokens.

use base64::{Engine, engine::general_purpose::STANDARD};
use bz_testkit::{Role, Tenant};
use chrono::TimeDelta;
use serde_json::json;

use crate::{
    provider::{
        Application, Browser, half_hash, header, owner, payload, post, statuses, text, token,
    },
    support::{address, login, refresh, start},
};

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
}

#[tokio::test]
async fn userinfo_says_what_the_id_token_says_by_get_and_by_post() {
    let app = start().await;
    let client = Application::register(&app).await;
    let request = client.request(&[("scope", "openid email")]);
    let code = Browser::new(&app).code(&request, &owner()).await;
    let answer = token(&app, &client.redemption(&code)).await.json();
    let id = payload(&answer["id_token"]);
    let told = json!({
        "sub": id["sub"], "tid": Tenant::Acme.id(), "email": owner(), "email_verified": false,
    });
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
}

/// Pitfall 10: only who could redeem a code can end with it what came of it.
#[tokio::test]
async fn a_code_that_comes_again_ends_what_came_of_it_and_a_copy_of_it_does_not() {
    let app = start().await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
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
    assert_eq!((entries, revocations), (1, 1));
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
        (
            change("grant_type", "password"),
            400,
            "unsupported_grant_type",
        ),
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
