//! Logout that an application asks for, and the discovery document.

use bz_testkit::{Role, Tenant, TestResponse};
use serde_json::{Value, json};

use crate::{
    provider::{AFTER_LOGOUT, Application, Browser, token},
    support::{IdentityApp, address, start},
};

fn owner() -> String {
    address(Tenant::Acme, Role::Owner)
}

fn query(fields: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    format!("/oauth2/logout?{query}")
}

async fn is_logged_in(browser: &mut Browser<'_>, client: &Application) -> bool {
    let answer = browser
        .authorize(&client.request(&[("prompt", "none")]))
        .await;
    answer
        .assert_status(303)
        .header("location")
        .unwrap()
        .contains("code=")
}

async fn logged_in<'a>(app: &'a IdentityApp, client: &Application) -> (Browser<'a>, Value) {
    let mut browser = Browser::new(app);
    let code = browser.code(&client.request(&[]), &owner()).await;
    let tokens = token(app, &client.redemption(&code))
        .await
        .assert_status(200)
        .json();
    (browser, tokens)
}

fn asks(answer: &TestResponse) -> bool {
    answer.status == 200 && answer.text().contains("Do you want to log out?")
}

/// Pitfall 72: a logout needs the user's word, or an ID token of the user who is logged in.
#[tokio::test]
async fn no_other_site_can_log_anybody_out() {
    let app = start().await;
    let client = Application::register(&app).await;
    let (mut browser, tokens) = logged_in(&app, &client).await;
    let others = client
        .tokens(&app, &address(Tenant::Acme, Role::Viewer))
        .await;
    let theirs = others["id_token"].as_str().unwrap();
    for fields in [
        &[][..],
        &[("client_id", &*client.client_id)],
        &[
            ("client_id", &client.client_id),
            ("post_logout_redirect_uri", AFTER_LOGOUT),
        ],
        &[("id_token_hint", theirs)],
        &[
            ("id_token_hint", "garbage"),
            ("client_id", &client.client_id),
        ],
        &[("id_token_hint", tokens["access_token"].as_str().unwrap())],
        &[("csrf", "x")],
    ] {
        let page = browser.get(&query(fields)).await;
        assert!(asks(&page), "{fields:?}: {}", page.describe());
        let owned: Vec<_> = fields
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        assert!(
            asks(&browser.post("/oauth2/logout", &owned).await),
            "{fields:?}"
        );
        assert!(is_logged_in(&mut browser, &client).await, "{fields:?}");
    }
    // The form's own token is no good in an address.
    let page = browser.get(&query(&[])).await;
    let csrf = crate::provider::form(&page).1.last().unwrap().1.clone();
    assert!(asks(&browser.get(&query(&[("csrf", &csrf)])).await));
    // The user says yes.
    let done = browser.submit(&page, &[]).await.assert_status(200);
    assert!(done.text().contains("You are logged out"));
    assert!(!is_logged_in(&mut browser, &client).await);
    browser.get(&query(&[])).await.assert_status(200);
}

#[tokio::test]
async fn with_an_id_token_of_the_user_it_happens_at_once_and_ends_the_applications_session() {
    let app = start().await;
    let client = Application::register(&app).await;
    for is_post in [false, true] {
        let (mut browser, tokens) = logged_in(&app, &client).await;
        // However old it is.
        app.clock.advance(chrono::TimeDelta::hours(2));
        let hint = tokens["id_token"].as_str().unwrap();
        let fields = [
            ("id_token_hint", hint),
            ("post_logout_redirect_uri", AFTER_LOGOUT),
            ("state", "s&t"),
        ];
        let owned: Vec<_> = fields
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let back = if is_post {
            browser.post("/oauth2/logout", &owned).await
        } else {
            browser.get(&query(&fields)).await
        };
        let back = back.assert_status(303);
        assert_eq!(
            back.header("location"),
            Some("https://app.example.com/bye?state=s%26t")
        );
        assert!(!is_logged_in(&mut browser, &client).await);
        client
            .refresh(&app, &tokens["refresh_token"], "")
            .await
            .assert_status(400);
        // Nobody is logged in any more: that is a success too.
        browser.get(&query(&fields)).await.assert_status(303);
    }
}

#[tokio::test]
async fn an_address_that_is_not_registered_is_not_gone_to() {
    let app = start().await;
    let client = Application::register(&app).await;
    let other = Application::register(&app).await;
    let (mut browser, tokens) = logged_in(&app, &client).await;
    let hint = ("id_token_hint", tokens["id_token"].as_str().unwrap());
    let to = |uri| ("post_logout_redirect_uri", uri);
    for fields in [
        &[hint, to("https://evil.example/")][..],
        &[hint, to("https://app.example.com/bye/")],
        &[hint, to("https://app.example.com/cb?kept=%2F")],
        &[to(AFTER_LOGOUT)],
        &[hint, to(AFTER_LOGOUT), ("client_id", &other.client_id)],
        &[hint, to(AFTER_LOGOUT), to(AFTER_LOGOUT)],
    ] {
        let page = browser.get(&query(fields)).await.assert_status(400);
        assert!(page.header("location").is_none() && !page.text().contains("evil"));
        assert!(is_logged_in(&mut browser, &client).await, "{fields:?}");
    }
}

#[tokio::test]
async fn the_discovery_document_names_the_issuer_and_what_works() {
    let app = start().await;
    let answer = app
        .anonymous
        .get("/.well-known/openid-configuration")
        .await
        .assert_status(200);
    assert_eq!(
        answer.header("cache-control"),
        Some("public, max-age=300, stale-while-revalidate=600")
    );
    let metadata = answer.json();
    assert_eq!(metadata["issuer"], "https://identity.test");
    let oauth = app
        .anonymous
        .get("/.well-known/oauth-authorization-server")
        .await
        .json();
    assert_eq!(oauth, metadata);
    for (name, value) in metadata.as_object().unwrap() {
        if !name.ends_with("_endpoint") && name != "jwks_uri" {
            continue;
        }
        let path = value
            .as_str()
            .unwrap()
            .strip_prefix("https://identity.test")
            .unwrap();
        let found = app.anonymous.get(path).await.status.as_u16();
        assert!(found != 404, "{name}: {found}");
    }
    assert_eq!(metadata["response_types_supported"], json!(["code"]));
    assert_eq!(
        metadata["code_challenge_methods_supported"],
        json!(["S256"])
    );
    assert_eq!(
        metadata["id_token_signing_alg_values_supported"],
        json!(["RS256"])
    );
    assert_eq!(
        metadata["authorization_response_iss_parameter_supported"],
        true
    );
    // The issuer is configured; the host that is called says nothing.
    let elsewhere = app
        .anonymous
        .get("/.well-known/openid-configuration")
        .header("host", "evil.example")
        .await;
    assert_eq!(elsewhere.json(), metadata);
}
