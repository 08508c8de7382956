//! Authorization: the cases of the OpenID Foundation's basic plan, and what attackers try.

use bz_testkit::{Role, Tenant};
use chrono::TimeDelta;
use serde_json::json;

use crate::{
    provider::{
        AFTER_LOGOUT, Application, Browser, CHALLENGE, assert_error, assert_page, form, header,
        location, owner, payload, token,
    },
    support::{address, start},
};

#[tokio::test]
async fn a_user_logs_in_allows_and_is_sent_back_with_a_code_that_becomes_tokens() {
    let app = start().await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    let page = browser
        .authorize(&client.request(&[("login_hint", "a\"b@example.com")]))
        .await;
    assert!(
        page.text().contains("Superset &lt;&amp;&gt;"),
        "{}",
        page.text()
    );
    assert!(page.text().contains("value=\"a&quot;b@example.com\""));
    let consent = browser.log_in(&page, &owner()).await.assert_status(200);
    assert!(consent.text().contains("see your e-mail address"));
    let back = browser
        .submit(&consent, &[("decision", "allow")])
        .await
        .assert_status(303);
    let sent = location(&back);
    assert_eq!(
        (&*sent["state"], &*sent["iss"], &*sent["kept"]),
        ("s&t", "https://identity.test", "/")
    );
    let answer = token(&app, &client.redemption(&sent["code"]))
        .await
        .assert_status(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let claims = payload(&answer.json()["id_token"]);
    assert_eq!(
        (
            &claims["iss"],
            &claims["aud"],
            &claims["nonce"],
            &claims["email"]
        ),
        (
            &json!("https://identity.test"),
            &json!(client.client_id),
            &json!("n1"),
            &json!(owner())
        )
    );
    assert_eq!(header(&answer.json()["id_token"])["alg"], "RS256");
    // The second time nothing is asked.
    let again = browser
        .authorize(&client.request(&[]))
        .await
        .assert_status(303);
    assert!(location(&again).contains_key("code"));
}

#[tokio::test]
async fn a_request_may_come_as_a_form_too() {
    let app = start().await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    let request = client.request(&[]);
    let fields: Vec<_> = url::form_urlencoded::parse(request.as_bytes())
        .into_owned()
        .collect();
    let page = browser
        .post("/oauth2/authorize", &fields)
        .await
        .assert_status(200);
    assert_eq!(form(&page).0, "/oauth2/login");
    app.anonymous
        .post("/oauth2/authorize", json!({}))
        .await
        .assert_problem(415, "unsupported_media_type");
}

/// Pitfall 11: PKCE cannot be left out, weakened or guessed around.
#[tokio::test]
async fn every_client_needs_pkce_with_s256_and_the_right_verifier() {
    let app = start().await;
    for method in ["client_secret_post", "none"] {
        let client = Application::with(&app, json!({ "token_endpoint_auth_method": method })).await;
        let mut browser = Browser::new(&app);
        for changes in [
            &[("code_challenge", "")][..],
            &[("code_challenge_method", "")],
            &[("code_challenge_method", "plain")],
            &[("code_challenge_method", "s256")],
            &[("code_challenge", "short")],
            &[("code_challenge", &format!("{CHALLENGE}="))],
        ] {
            let answer = browser.authorize(&client.request(changes)).await;
            assert_error(&answer, "invalid_request", &format!("{changes:?}"));
        }
        let code = browser.code(&client.request(&[]), &owner()).await;
        for verifier in [
            None,
            Some(""),
            Some(CHALLENGE),
            Some("x"),
            Some(&*"a".repeat(43)),
        ] {
            let mut fields = client.redemption(&code);
            fields.retain(|(name, value)| *name != "code_verifier" && !value.is_empty());
            fields.extend(verifier.map(|verifier| ("code_verifier", verifier)));
            let answer = token(&app, &fields).await.assert_status(400);
            assert!(
                ["invalid_grant", "invalid_request"]
                    .contains(&answer.json()["error"].as_str().unwrap())
            );
        }
        // None of that used the code up.
        let mut fields = client.redemption(&code);
        fields.retain(|(_, value)| !value.is_empty());
        token(&app, &fields).await.assert_status(200);
    }
}

/// Pitfall 12: an address that is not registered character by character gets an error page and no redirect.
#[tokio::test]
async fn a_redirect_address_that_is_not_registered_gets_a_page_and_no_redirect() {
    let app = start().await;
    let uri = "https://app.example.com/cb";
    let client = Application::with(&app, json!({ "redirect_uris": [uri] })).await;
    let mut browser = Browser::new(&app);
    let registered = browser
        .authorize(&client.request(&[("redirect_uri", uri)]))
        .await;
    registered.assert_status(200);
    for other in [
        "",
        "/cb",
        "cb",
        "//app.example.com/cb",
        "http://app.example.com/cb",
        "https://app.example.com",
        "https://app.example.com/",
        "https://app.example.com/cb/",
        "https://app.example.com/cb?",
        "https://app.example.com/cb?x=1",
        "https://app.example.com/cb#",
        "https://app.example.com/cb#x",
        "https://app.example.com/CB",
        "https://APP.example.com/cb",
        "HTTPS://app.example.com/cb",
        "https://app.example.com:443/cb",
        "https://app.example.com:8443/cb",
        "https://app.example.com./cb",
        "https://app.example.com/./cb",
        "https://app.example.com/x/../cb",
        "https://app.example.com/cb/..",
        "https://app.example.com/%63b",
        "https://app.example.com/cb%2f",
        "https://app.example.com%2fcb",
        "https://app.example.com//cb",
        "https://app.example.com\\cb",
        "https://app.example.com/cb\\",
        "https://user@app.example.com/cb",
        "https://app.example.com@evil.example/cb",
        "https://app.example.com.evil.example/cb",
        "https://evil.example/https://app.example.com/cb",
        "https://evilapp.example.com/cb",
        "https://example.com/cb",
        "https://*.example.com/cb",
        "https://app.example.com/cb ",
        " https://app.example.com/cb",
        "https://app.example.com/cb\n",
        "https://app.example.com/cb%00",
        "https://app.example.com/cb,https://evil.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        AFTER_LOGOUT,
        "urn:ietf:wg:oauth:2.0:oob",
    ] {
        let answer = browser
            .authorize(&client.request(&[("redirect_uri", other)]))
            .await;
        assert_page(&answer, other);
        assert!(!answer.text().contains("evil"), "{other}");
    }
    let twice = format!(
        "{}&redirect_uri=https%3A%2F%2Fevil.example%2F",
        client.request(&[("redirect_uri", uri)])
    );
    assert_page(&browser.authorize(&twice).await, "twice");
}

#[tokio::test]
async fn a_client_that_nobody_knows_gets_a_page_and_no_redirect() {
    let app = start().await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    let nobody = client.client_id.replace("oc_A", "oc_B");
    for client_id in ["", "web", "crm", "oc_", &nobody, &client.id] {
        let answer = browser
            .authorize(&client.request(&[("client_id", client_id)]))
            .await;
        assert_page(&answer, client_id);
    }
    assert_page(&browser.get("/oauth2/authorize").await, "nothing");
    let nul = browser
        .authorize(&format!("{}&x=%00", client.request(&[])))
        .await;
    nul.assert_problem(400, "malformed_request");
}

#[tokio::test]
async fn what_a_request_gets_wrong_is_told_to_the_application() {
    let app = start().await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    let long = "x".repeat(2000);
    for (changes, error) in [
        (&[("response_type", "")][..], "invalid_request"),
        (&[("response_type", "token")], "unsupported_response_type"),
        (
            &[("response_type", "code id_token")],
            "unsupported_response_type",
        ),
        (&[("response_mode", "form_post")], "invalid_request"),
        (&[("scope", "")], "invalid_scope"),
        (&[("scope", "openid leads:read")], "invalid_scope"),
        (&[("request", "x.y.z")], "request_not_supported"),
        (
            &[("request_uri", "https://evil.example/")],
            "request_uri_not_supported",
        ),
        (&[("prompt", "none login")], "invalid_request"),
        (&[("prompt", "dance")], "invalid_request"),
        (&[("prompt", "none")], "login_required"),
        (&[("max_age", "soon")], "invalid_request"),
        (&[("max_age", "-1")], "invalid_request"),
        (&[("nonce", &long)], "invalid_request"),
    ] {
        let answer = browser.authorize(&client.request(changes)).await;
        assert_error(&answer, error, &format!("{changes:?}"));
    }
    for name in [
        "scope",
        "nonce",
        "prompt",
        "code_challenge",
        "response_type",
    ] {
        let twice = format!("{}&{name}=a&{name}=b", client.request(&[(name, "")]));
        assert_error(&browser.authorize(&twice).await, "invalid_request", name);
    }
}

#[tokio::test]
async fn what_is_not_known_in_a_request_is_ignored() {
    let app = start().await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    let request = client.request(&[
        ("scope", "openid address unheard"),
        ("acr_values", "1 2"),
        ("claims", "{}"),
        ("extra", "foobar"),
        ("display", "page"),
        ("ui_locales", "se"),
        ("login_hint", "x"),
        ("response_mode", "query"),
    ]);
    let code = browser.code(&request, &owner()).await;
    let answer = token(&app, &client.redemption(&code))
        .await
        .assert_status(200)
        .json();
    assert_eq!(answer["scope"], "openid");
    assert!(answer.get("refresh_token").is_none());
}

#[tokio::test]
async fn without_openid_there_is_no_id_token_and_no_userinfo() {
    let app = start().await;
    let client = Application::register(&app).await;
    let code = Browser::new(&app)
        .code(&client.request(&[("scope", "tenant:read")]), &owner())
        .await;
    let answer = token(&app, &client.redemption(&code))
        .await
        .assert_status(200)
        .json();
    assert!(answer.get("id_token").is_none());
    let bearer = app
        .anonymous
        .with_token(answer["access_token"].as_str().unwrap());
    let info = bearer.get("/oauth2/userinfo").await.assert_status(403);
    assert_eq!(info.json()["error"], "insufficient_scope");
}

#[tokio::test]
async fn prompt_and_max_age_ask_for_a_login_again_once() {
    let app = start().await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    browser.code(&client.request(&[]), &owner()).await;
    let first = app.clock.clone();
    first.advance(TimeDelta::minutes(10));
    // Not older than what is asked for: nothing is asked.
    let fresh = browser
        .authorize(&client.request(&[("max_age", "600")]))
        .await;
    assert!(location(&fresh.assert_status(303)).contains_key("code"));
    let none = client.request(&[("prompt", "none"), ("max_age", "599")]);
    assert_error(&browser.authorize(&none).await, "login_required", "max_age");
    for changes in [
        [("max_age", "599")],
        [("prompt", "login")],
        [("prompt", "select_account")],
        [("max_age", "0")],
    ] {
        let before = browser.cookies.clone();
        let page = browser
            .authorize(&client.request(&changes))
            .await
            .assert_status(200);
        let back = browser.log_in(&page, &owner()).await.assert_status(303);
        let code = location(&back)["code"].clone();
        let answer = token(&app, &client.redemption(&code)).await.json();
        let auth_time = payload(&answer["id_token"])["auth_time"].as_i64().unwrap();
        assert_eq!(auth_time, app.core.sources.now().timestamp(), "{changes:?}");
        // A login is never put on the session that was there before.
        assert_ne!(browser.cookies, before, "{changes:?}");
        app.clock.advance(TimeDelta::minutes(10));
    }
    let page = browser
        .authorize(&client.request(&[("prompt", "consent")]))
        .await
        .assert_status(200);
    assert_eq!(form(&page).0, "/oauth2/consent");
}

#[tokio::test]
async fn a_hint_of_another_user_asks_for_a_login() {
    let app = start().await;
    let client = Application::register(&app).await;
    let other = client
        .tokens(&app, &address(Tenant::Acme, Role::Viewer))
        .await;
    let mut browser = Browser::new(&app);
    let code = browser.code(&client.request(&[]), &owner()).await;
    let own = token(&app, &client.redemption(&code)).await.json();
    let hint = |tokens: &serde_json::Value| tokens["id_token"].as_str().unwrap().to_owned();
    let with = |hint: &str| client.request(&[("prompt", "none"), ("id_token_hint", hint)]);
    let same = browser.authorize(&with(&hint(&own))).await;
    assert!(location(&same).contains_key("code"));
    for bad in [
        hint(&other),
        "garbage".to_owned(),
        own["access_token"].as_str().unwrap().to_owned(),
    ] {
        assert_error(
            &browser.authorize(&with(&bad)).await,
            "login_required",
            &bad,
        );
    }
}
