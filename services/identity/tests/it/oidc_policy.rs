//! What a tenant asks of those who work in it, at the pages and the tokens of applications.

use bz_testkit::{Role, Tenant};
use serde_json::json;

use crate::{
    mfa::shown,
    passkeys::with_passkey,
    provider::{Application, Browser, form, location, owner, token},
    support::{PASSWORD, address, builder, count, start},
    tenant_policy::set_policy,
};

/// The text between two others on a page.
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = page.split_once(before).unwrap();
    rest.split_once(after).unwrap().0
}

/// A browser that was logged in before the tenant wanted shorter sessions logs in again.
#[tokio::test]
async fn a_browsers_login_is_no_older_than_the_policy_allows_now() {
    let app = start().await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    browser.code(&client.request(&[]), &owner()).await;
    app.clock.advance(chrono::TimeDelta::hours(3));
    let again = browser.authorize(&client.request(&[])).await;
    assert!(location(&again).contains_key("code"));
    set_policy(&app, Tenant::Acme, json!({ "session_hours": 2 })).await;
    let page = browser.authorize(&client.request(&[])).await;
    assert!(page.assert_status(200).text().contains("name=\"password\""));
}

/// Pitfall 48: the page sets the second factor up that the tenant asks for, and nobody gets to an application without.
#[tokio::test]
async fn the_login_page_sets_up_the_second_factor_that_the_tenant_asks_for() {
    let app = start().await;
    let client = Application::register(&app).await;
    let mut before = Browser::new(&app);
    let page = before.authorize(&client.request(&[])).await;
    before.log_in(&page, &owner()).await.assert_status(200);
    let code = Browser::new(&app)
        .code(&client.request(&[]), &owner())
        .await;
    set_policy(&app, Tenant::Acme, json!({ "mfa_required": true })).await;
    // A login from before counts no more, nor does a code that came of one.
    let page = before.authorize(&client.request(&[])).await;
    assert!(page.assert_status(200).text().contains("name=\"password\""));
    token(&app, &client.redemption(&code))
        .await
        .assert_status(400);

    let mut browser = Browser::new(&app);
    let page = browser.authorize(&client.request(&[])).await;
    let credentials = [("email", &*owner()), ("password", PASSWORD)];
    let set_up = browser.submit(&page, &credentials).await.assert_status(200);
    assert_eq!(form(&set_up).0, "/oauth2/login/set-up");
    let policy = set_up.header("content-security-policy").unwrap();
    assert!(policy.ends_with("img-src data:"), "{policy}");
    let secret = between(set_up.text(), "<code>", "</code>").to_owned();
    assert!(set_up.text().contains("src=\"data:image/png;base64,"));
    let again = browser
        .submit(&set_up, &[("code", "000000")])
        .await
        .assert_status(422);
    assert_eq!(between(again.text(), "<code>", "</code>"), secret);
    assert!(
        !browser
            .cookies
            .iter()
            .any(|(name, _)| name.contains("session"))
    );
    let code = shown(&app, &secret);
    let codes = browser
        .submit(&again, &[("code", &code)])
        .await
        .assert_status(200);
    assert_eq!(codes.text().matches("<li>").count(), 10);
    let next = between(codes.text(), "href=\"", "\"").replace("&amp;", "&");
    // What the user allowed before is allowed still.
    let back = browser.get(&next).await.assert_status(303);
    assert!(location(&back).contains_key("code"));
    let strong =
        "SELECT count(*) FROM identity.sessions WHERE client_id = 'browser' AND acr = 'aal2'";
    assert_eq!(count(&app, strong).await, 1);
    let enabled = "SELECT count(*) FROM identity.audit_log WHERE action = 'mfa.enabled'";
    assert_eq!(count(&app, enabled).await, 1);
    // The form is used up, and the next login asks for a code.
    browser
        .submit(&again, &[("code", &code)])
        .await
        .assert_status(403);
    let mut next = Browser::new(&app);
    let page = next.authorize(&client.request(&[])).await;
    let asked = next.submit(&page, &credentials).await.assert_status(200);
    assert_eq!(form(&asked).0, "/oauth2/login/code");
}

#[tokio::test]
async fn the_page_sets_nothing_up_for_somebody_with_a_passkey_or_from_another_site() {
    let app = start().await;
    let client = Application::register(&app).await;
    set_policy(&app, Tenant::Acme, json!({ "mfa_required": true })).await;
    with_passkey(&app.acme.viewer, b"0123456789abcdef").await;
    let mut browser = Browser::new(&app);
    let page = browser.authorize(&client.request(&[])).await;
    let viewer = address(Tenant::Acme, Role::Viewer);
    let refused = browser
        .submit(&page, &[("email", &viewer), ("password", PASSWORD)])
        .await
        .assert_status(403);
    assert!(refused.text().contains("passkey"), "{}", refused.describe());
    let set_up = browser
        .submit(&page, &[("email", &owner()), ("password", PASSWORD)])
        .await
        .assert_status(200);
    let code = shown(&app, between(set_up.text(), "<code>", "</code>"));
    for forged in [
        [("code", &*code), ("csrf", "x")],
        [("code", &*code), ("mfa_token", "mf1.x.y")],
    ] {
        browser.submit(&set_up, &forged).await.assert_status(403);
    }
    assert_eq!(
        count(
            &app,
            "SELECT count(*) FROM identity.totp_factors WHERE activated_at IS NOT NULL"
        )
        .await,
        0
    );
}

#[tokio::test]
async fn an_application_is_refused_when_its_session_owes_a_second_factor() {
    let app = start().await;
    let client = Application::register(&app).await;
    let tokens = client.tokens(&app, &owner()).await;
    set_policy(&app, Tenant::Acme, json!({ "mfa_required": true })).await;
    let refused = client.refresh(&app, &tokens["refresh_token"], "").await;
    assert_eq!(refused.assert_status(400).json()["error"], "invalid_grant");
    // Nothing was used up: the tenant can think better of it.
    set_policy(&app, Tenant::Acme, json!({})).await;
    client
        .refresh(&app, &tokens["refresh_token"], "")
        .await
        .assert_status(200);
}

/// The network is that of the person: where an application's own server calls from says nothing.
#[tokio::test]
async fn networks_count_for_browsers_and_public_clients() {
    let app = builder().start().await;
    let client = Application::register(&app).await;
    let tokens = client.tokens(&app, &owner()).await;
    let public = json!({ "token_endpoint_auth_method": "none" });
    let public = Application::with(&app, public).await;
    let mut browser = Browser::new(&app);
    let code = browser.code(&public.request(&[]), &owner()).await;
    let mut fields = public.redemption(&code);
    fields.retain(|(name, _)| *name != "client_secret");
    let theirs = token(&app, &fields).await.assert_status(200).json();
    set_policy(&app, Tenant::Acme, json!({ "ip_allow": ["192.0.2.0/24"] })).await;
    client
        .refresh(&app, &tokens["refresh_token"], "")
        .await
        .assert_status(200);
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", theirs["refresh_token"].as_str().unwrap()),
        ("client_id", &public.client_id),
    ];
    token(&app, &fields).await.assert_status(400);
    let page = browser.authorize(&public.request(&[])).await;
    assert!(page.assert_status(200).text().contains("name=\"password\""));
    let refused = Browser::new(&app);
    let mut refused = refused;
    let page = refused.authorize(&public.request(&[])).await;
    let answer = refused
        .submit(&page, &[("email", &owner()), ("password", PASSWORD)])
        .await
        .assert_status(403);
    assert!(answer.text().contains("network"), "{}", answer.describe());
}
