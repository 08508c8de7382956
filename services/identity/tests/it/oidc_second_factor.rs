//! The page that asks for the second factor: `/oauth2/login/code`.

use bz_testkit::{Role, Tenant, TestResponse};
use chrono::TimeDelta;
use serde_json::json;

use crate::{
    mfa::{activate, enrol, shown, with_app},
    provider::{Application, Browser, REDIRECT_URI, form, location, payload, token},
    support::{IdentityApp, PASSWORD, address, builder, start},
};

fn member() -> String {
    address(Tenant::Acme, Role::Member)
}

/// The page that comes after the right password.
async fn asked(browser: &mut Browser<'_>, client: &Application) -> TestResponse {
    let page = browser.authorize(&client.request(&[])).await;
    let fields = [("email", &*member()), ("password", PASSWORD)];
    let page = browser.submit(&page, &fields).await.assert_status(200);
    assert_eq!(form(&page).0, "/oauth2/login/code", "{}", page.text());
    assert!(page.text().contains("name=\"code\""));
    page
}

fn is_logged_in(browser: &Browser<'_>) -> bool {
    let is_session = |(name, _): &(String, String)| name.contains("session");
    browser.cookies.iter().any(is_session)
}

/// Back at the form for the password, with a word of why.
fn assert_over(answer: &TestResponse, status: u16, why: &str) {
    assert_eq!(answer.status, status, "{}", answer.describe());
    let text = answer.text();
    assert!(
        text.contains("name=\"password\"") && text.contains(why),
        "{text}"
    );
}

#[tokio::test]
async fn the_password_alone_logs_nobody_in_who_has_an_app_and_its_code_does_at_a_higher_level() {
    let app = start().await;
    let (secret, _) = with_app(&app).await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    let page = asked(&mut browser, &client).await;
    assert!(!is_logged_in(&browser));
    let text = page.text();
    for part in [
        "<label for=\"code\">",
        "autocomplete=\"one-time-code\"",
        "aria-describedby=\"what\"",
        "id=\"what\"",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    // Whoever has lost the factor is not stuck.
    assert!(
        text.contains("prompt=login\">Use another account</a>"),
        "{text}"
    );
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("form-action 'self' https://app.example.com;"),
        "{policy}"
    );
    let sent = browser
        .submit(&page, &[("code", &shown(&app, &secret))])
        .await;
    let next = sent.assert_status(303);
    assert!(is_logged_in(&browser));
    let consent = browser.get(next.header("location").unwrap()).await;
    let back = browser.submit(&consent, &[("decision", "allow")]).await;
    let code = location(&back)["code"].clone();
    let tokens = token(&app, &client.redemption(&code))
        .await
        .assert_status(200)
        .json();
    let claims = payload(&tokens["id_token"]);
    assert_eq!(
        (&claims["acr"], &claims["amr"]),
        (&json!("aal2"), &json!(["pwd", "otp", "mfa"]))
    );
}

#[tokio::test]
async fn a_recovery_code_is_good_once() {
    let app = start().await;
    let (_, codes) = with_app(&app).await;
    let client = Application::register(&app).await;
    for (code, status) in [(&codes[0], 303), (&codes[0], 422), (&codes[1], 303)] {
        let mut browser = Browser::new(&app);
        let page = asked(&mut browser, &client).await;
        browser
            .submit(&page, &[("code", code)])
            .await
            .assert_status(status);
        assert_eq!(is_logged_in(&browser), status == 303);
    }
}

#[tokio::test]
async fn a_wrong_code_may_be_corrected_and_one_that_was_used_may_not_come_again() {
    let app = start().await;
    let (secret, _) = with_app(&app).await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    let mut page = asked(&mut browser, &client).await;
    for wrong in ["000000", "not a code", ""] {
        page = browser
            .submit(&page, &[("code", wrong)])
            .await
            .assert_status(422);
        let text = page.text();
        assert!(
            text.contains("role=\"alert\"") && text.contains("aria-invalid=\"true\""),
            "{text}"
        );
        assert!(text.contains("aria-describedby=\"what refusal\""), "{text}");
    }
    let code = shown(&app, &secret);
    browser
        .submit(&page, &[("code", &code)])
        .await
        .assert_status(303);
    let mut second = Browser::new(&app);
    let page = asked(&mut second, &client).await;
    second
        .submit(&page, &[("code", &code)])
        .await
        .assert_status(422);
    assert!(!is_logged_in(&second));
}

#[tokio::test]
async fn after_five_wrong_codes_the_login_starts_again_and_after_ten_an_hour_has_to_pass() {
    let app = start().await;
    let (secret, _) = with_app(&app).await;
    let client = Application::register(&app).await;
    for _ in 0..2 {
        let mut browser = Browser::new(&app);
        let mut page = asked(&mut browser, &client).await;
        for _ in 0..5 {
            page = browser
                .submit(&page, &[("code", "000000")])
                .await
                .assert_status(422);
        }
        let right = shown(&app, &secret);
        let over = browser.submit(&page, &[("code", &right)]).await;
        assert_over(&over, 403, "too many wrong ones");
        assert!(!is_logged_in(&browser));
    }
    let mut browser = Browser::new(&app);
    let page = asked(&mut browser, &client).await;
    let locked = browser
        .submit(&page, &[("code", &shown(&app, &secret))])
        .await;
    assert_over(&locked, 429, "in an hour");
    app.clock.advance(TimeDelta::hours(1));
    let page = asked(&mut browser, &client).await;
    let sent = browser
        .submit(&page, &[("code", &shown(&app, &secret))])
        .await;
    sent.assert_status(303);
}

#[tokio::test]
async fn a_code_that_comes_too_late_is_too_late() {
    let app = start().await;
    let (secret, _) = with_app(&app).await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    let page = asked(&mut browser, &client).await;
    app.clock.advance(TimeDelta::minutes(5));
    let late = browser
        .submit(&page, &[("code", &shown(&app, &secret))])
        .await;
    assert_over(&late, 403, "too late");
    assert!(!is_logged_in(&browser));
}

#[tokio::test]
async fn what_was_not_asked_of_this_browser_here_is_not_taken() {
    let app = start().await;
    let (secret, _) = with_app(&app).await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    let page = asked(&mut browser, &client).await;
    let code = shown(&app, &secret);
    // Another site's form, another browser, no challenge, a challenge of nobody.
    for forged in [
        ("csrf", ""),
        ("csrf", "x"),
        ("mfa_token", ""),
        ("mfa_token", "mf1.x.y"),
    ] {
        let refused = browser.submit(&page, &[("code", &code), forged]).await;
        assert_over(&refused, 403, "open for too long");
    }
    Browser::new(&app)
        .submit(&page, &[("code", &code)])
        .await
        .assert_status(403);
    // A challenge of another tenant, whose user is no guest of this application's.
    let theirs = &app.globex.member;
    let enrolment = enrol(theirs).await;
    let theirs_secret = enrolment["secret"].as_str().unwrap();
    activate(theirs, &enrolment, &shown(&app, theirs_secret))
        .await
        .assert_status(200);
    let foreign = foreign_challenge(&app).await;
    app.clock.advance(TimeDelta::seconds(30));
    let code = shown(&app, theirs_secret);
    let refused = browser
        .submit(&page, &[("code", &code), ("mfa_token", &foreign)])
        .await;
    assert_over(&refused, 422, "The e-mail or the password is wrong.");
    assert!(!is_logged_in(&browser));
}

async fn foreign_challenge(app: &IdentityApp) -> String {
    let email = address(Tenant::Globex, Role::Member);
    let credentials = json!({ "email": email, "password": PASSWORD });
    let answer = app.anonymous.post("/auth/login", credentials).await;
    answer.assert_status(200).json()["mfa_token"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn an_application_that_was_deleted_meanwhile_gets_nobody() {
    let app = builder().start().await;
    let (secret, _) = with_app(&app).await;
    let client = Application::register(&app).await;
    let mut browser = Browser::new(&app);
    let page = asked(&mut browser, &client).await;
    let path = format!("/api/oauth-clients/{}", client.id);
    app.acme.owner.delete(&path).await.assert_status(204);
    let answer = browser
        .submit(&page, &[("code", &shown(&app, &secret))])
        .await;
    let answer = answer.assert_status(400);
    assert!(!answer.text().contains(REDIRECT_URI) && !is_logged_in(&browser));
}
