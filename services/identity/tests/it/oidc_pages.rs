//! The pages of login and consent.

use bz_testkit::{Role, Tenant};
use serde_json::json;

use crate::{
    provider::{Application, Browser, REDIRECT_URI, assert_error, form, location, owner},
    support::{PASSWORD, address, builder, start},
};

#[tokio::test]
async fn a_user_may_say_no() {
    let app = start().await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    let page = browser.authorize(&client.request(&[])).await;
    let consent = browser.log_in(&page, &owner()).await;
    let back = browser.submit(&consent, &[("decision", "deny")]).await;
    assert_error(&back, "access_denied", "deny");
    let none = browser
        .authorize(&client.request(&[("prompt", "none")]))
        .await;
    assert_error(&none, "consent_required", "nothing was remembered");
}

#[tokio::test]
async fn wrong_credentials_get_one_answer_and_no_cookie() {
    let app = start().await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    let page = browser.authorize(&client.request(&[])).await;
    let outsider = address(Tenant::Globex, Role::Owner);
    let mut answers = Vec::new();
    for (email, password) in [
        (owner(), "wrong password"),
        ("nobody@example.com".to_owned(), PASSWORD),
        (outsider, PASSWORD),
        ("no address".to_owned(), PASSWORD),
        (owner(), ""),
    ] {
        let answer = browser
            .submit(&page, &[("email", &email), ("password", password)])
            .await;
        assert!(
            answer.text().contains("role=\"alert\""),
            "{}",
            answer.describe()
        );
        assert!(!answer.text().contains(password) || password.is_empty());
        answers.push((
            answer.status,
            answer.text().replace(&email, "<email>").len(),
        ));
    }
    assert!(
        answers
            .iter()
            .all(|answer| *answer == answers[0] && answer.0 == 422),
        "{answers:?}"
    );
    assert!(
        !browser
            .cookies
            .iter()
            .any(|(name, _)| name.contains("session"))
    );
}

#[tokio::test]
async fn an_address_that_is_not_verified_is_told_so_after_the_right_password_only() {
    let app = builder()
        .env("REGISTRATION_POLICY", "verified")
        .start()
        .await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    let page = browser.authorize(&client.request(&[])).await;
    let fields = |password| [("email", "owner@acme.test"), ("password", password)];
    let right = browser
        .submit(&page, &fields(PASSWORD))
        .await
        .assert_status(403);
    assert!(right.text().contains("not verified"));
    browser
        .submit(&page, &fields("wrong password"))
        .await
        .assert_status(422);
}

/// Pitfalls 15, 16: no other site can log a browser in or allow anything, and a login is always on a new session.
#[tokio::test]
async fn forms_of_other_sites_do_nothing() {
    let app = start().await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    let page = browser.authorize(&client.request(&[])).await;
    let login = [("email", &*owner()), ("password", PASSWORD)];
    // Another browser has another cookie: the attacker's own token is no good here.
    let mut attacker = Browser::new(&app);
    let theirs = attacker.authorize(&client.request(&[])).await;
    browser.submit(&theirs, &login).await.assert_status(403);
    for csrf in ["", "x"] {
        let all = [login[0], login[1], ("csrf", csrf)];
        browser.submit(&page, &all).await.assert_status(403);
    }
    Browser::new(&app)
        .submit(&page, &login)
        .await
        .assert_status(403);
    assert!(
        !browser
            .cookies
            .iter()
            .any(|(name, _)| name.contains("session"))
    );

    let consent = browser.log_in(&page, &owner()).await;
    for csrf in ["", "x", &form(&page).1.last().unwrap().1] {
        let forged = browser
            .submit(&consent, &[("decision", "allow"), ("csrf", csrf)])
            .await;
        forged.assert_status(200);
    }
    browser
        .submit(&consent, &[("decision", "allow")])
        .await
        .assert_status(303);
}

/// Pitfall 70: pages stand in no frame, run no script, load nothing and are kept nowhere; answers are for whom they are.
#[tokio::test]
async fn pages_and_answers_carry_the_headers_that_keep_them_apart() {
    let app = builder()
        .env("ISSUER", "https://identity.test")
        .start()
        .await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    let login = browser.authorize(&client.request(&[])).await;
    let consent = browser.log_in(&login, &owner()).await;
    let error = browser
        .authorize(&client.request(&[("client_id", "x")]))
        .await;
    for (page, leads_to) in [
        (&login, " https://app.example.com"),
        (&consent, " https://app.example.com"),
        (&error, ""),
    ] {
        let policy = page.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{policy}"
        );
        let rest = format!("form-action 'self'{leads_to}; base-uri 'none'; frame-ancestors 'none'");
        assert!(policy.ends_with(&rest), "{policy}");
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("content-type", "text/html; charset=utf-8"),
        ] {
            assert_eq!(page.header(name), Some(value), "{name}");
        }
        assert!(page.header("access-control-allow-origin").is_none());
        let text = page.text();
        assert!(!text.contains("<script") && !text.contains("src=") && !text.contains("<link"));
    }
    // Cookies: of this host only, never readable by a script, and gone with the browser.
    let page = Browser::new(&app).authorize(&client.request(&[])).await;
    let cookie = page.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("__Host-bz_form=")
            && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure")
    );

    let back = browser.submit(&consent, &[("decision", "allow")]).await;
    let code = location(&back)["code"].clone();
    let send = |origin: &'static str| {
        let request = app.anonymous.request(http::Method::POST, "/oauth2/token");
        request
            .form(&client.redemption(&code))
            .header("origin", origin)
    };
    assert!(
        send("https://evil.example")
            .await
            .header("access-control-allow-origin")
            .is_none()
    );
    let metadata = app.anonymous.get("/.well-known/openid-configuration").await;
    assert_eq!(metadata.header("access-control-allow-origin"), Some("*"));
    let code = browser.code(&client.request(&[]), &owner()).await;
    let own = app
        .anonymous
        .request(http::Method::POST, "/oauth2/token")
        .form(&client.redemption(&code));
    let own = own.header("origin", "https://app.example.com").await;
    assert_eq!(
        own.header("access-control-allow-origin"),
        Some("https://app.example.com")
    );
}

#[tokio::test]
async fn pages_speak_the_language_of_the_browser() {
    let app = start().await;
    let client = Application::register(&app).await;
    let page = app
        .anonymous
        .get(&format!("/oauth2/authorize?{}", client.request(&[])));
    let page = page
        .header("accept-language", "de-AT,de;q=0.9,en;q=0.5")
        .await;
    assert!(page.text().contains("<html lang=\"de\">") && page.text().contains("Passwort"));
}

#[tokio::test]
async fn a_browser_of_another_tenant_is_not_logged_in_here() {
    let app = start().await;
    let client = Application::register(&app).await;
    let theirs = json!({ "name": "Theirs", "redirect_uris": [REDIRECT_URI] });
    let theirs = app
        .globex
        .owner
        .post("/api/oauth-clients", theirs)
        .await
        .assert_status(201)
        .json();
    let mut browser = Browser::new(&app);
    browser.code(&client.request(&[]), &owner()).await;
    let request = client.request(&[
        ("client_id", theirs["client_id"].as_str().unwrap()),
        ("scope", "openid"),
    ]);
    let page = browser.authorize(&request).await.assert_status(200);
    assert!(page.text().contains("name=\"password\""));
}

#[tokio::test]
async fn a_session_that_was_ended_is_no_login_any_more() {
    let app = start().await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    browser.code(&client.request(&[]), &owner()).await;
    let mut admin = app.database.admin().await;
    sqlx::query("UPDATE identity.sessions SET revoked_at = now(), revoked_reason = 'ended_by_user' WHERE client_id = 'browser'")
        .execute(&mut admin)
        .await
        .unwrap();
    let none = browser
        .authorize(&client.request(&[("prompt", "none")]))
        .await;
    assert_error(&none, "login_required", "ended");
}
