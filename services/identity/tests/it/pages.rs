use bz_testkit::{Role, Tenant, TestResponse};
use serde_json::json;

use crate::{
    mailbox::{Mailbox, settled},
    support::{IdentityApp, PASSWORD, address, builder, login, start},
    tenant_policy::set_policy,
};

const PAGES: [&str; 4] = [
    "verify-email",
    "reset-password",
    "confirm-email",
    "revert-email",
];

fn assert_safe(answer: &TestResponse) {
    let policy = answer.header("content-security-policy").unwrap();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    let expected = [
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("cache-control", "no-store"),
        ("content-type", "text/html; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
    ];
    for (name, value) in expected {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    let html = answer.text();
    for outside in ["http:", "https:", "src=", "<script", "@import", "url("] {
        assert!(!html.contains(outside), "{outside} in {html}");
    }
}

async fn reset_token(app: &IdentityApp, mailbox: &Mailbox) -> String {
    let email = address(Tenant::Acme, Role::Member);
    app.anonymous
        .post("/auth/password/forgot", json!({ "email": email }))
        .await
        .assert_status(202);
    settled(app).await;
    mailbox.take(&email).await.token()
}

#[tokio::test]
async fn a_link_opens_a_page_that_does_nothing_until_its_button_is_pressed() {
    let mailbox = Mailbox::new();
    let app = mailbox
        .start(builder().env("REGISTRATION_POLICY", "verified"))
        .await;
    let request = json!({ "email": "ada@example.com", "password": PASSWORD });
    app.anonymous
        .post("/auth/register", request)
        .await
        .assert_status(202);
    let token = mailbox.take("ada@example.com").await.token();
    let path = format!("/auth/pages/verify-email?token={token}");
    for _ in 0..2 {
        let page = app.anonymous.get(&path).await.assert_status(200);
        assert_safe(&page);
        assert!(page.text().contains("<html lang=\"en\">") && page.text().contains(&token));
    }
    let press = || {
        app.anonymous
            .request(http::Method::POST, &path)
            .form(&[("token", &token)])
    };
    let done = press().await.assert_status(200);
    assert_safe(&done);
    assert!(done.text().contains("Your address is verified"));
    login(&app, "ada@example.com", PASSWORD)
        .await
        .assert_status(200);
    let again = press().await.assert_status(400);
    assert_safe(&again);
    assert!(again.text().contains("role=\"alert\"") && !again.text().contains("<form"));
}

#[tokio::test]
async fn a_password_is_chosen_on_a_page_which_says_what_is_wrong_with_it() {
    let mailbox = Mailbox::new();
    let app = mailbox.start(builder()).await;
    let token = reset_token(&app, &mailbox).await;
    let send = |password: &str| {
        let fields = [("token", token.as_str()), ("password", password)];
        app.anonymous
            .request(http::Method::POST, "/auth/pages/reset-password")
            .form(&fields)
    };
    let weak = send("12345678")
        .header("accept-language", "de")
        .await
        .assert_status(422);
    assert_safe(&weak);
    assert!(weak.text().contains("<html lang=\"de\">") && weak.text().contains("<form"));
    send("chosen on the page").await.assert_status(200);
    let email = address(Tenant::Acme, Role::Member);
    login(&app, &email, "chosen on the page")
        .await
        .assert_status(200);
}

#[tokio::test]
async fn a_page_says_how_long_a_password_must_be_in_the_tenant() {
    let mailbox = Mailbox::new();
    let app = mailbox.start(builder()).await;
    set_policy(&app, Tenant::Acme, json!({ "password_min_length": 20 })).await;
    let token = reset_token(&app, &mailbox).await;
    let path = format!("/auth/pages/reset-password?token={token}");
    let shown = app.anonymous.get(&path).await.assert_status(200);
    let html = shown.text();
    assert!(
        html.contains("At least 20 characters.") && html.contains("minlength=\"20\""),
        "{html}"
    );
    let refused = app
        .anonymous
        .request(http::Method::POST, "/auth/pages/reset-password")
        .form(&[("token", token.as_str()), ("password", "chosen on a page")])
        .await
        .assert_status(422);
    assert!(refused.text().contains("At least 20 characters."));
    // Nothing is told of a link that is none.
    let path = "/auth/pages/reset-password?token=nonsense";
    let shown = app.anonymous.get(path).await.assert_status(200);
    assert!(shown.text().contains("At least 8 characters."));
}

#[tokio::test]
async fn what_a_link_carries_is_only_text_in_its_page() {
    let app = start().await;
    for page in PAGES {
        let path = format!("/auth/pages/{page}?token=%22%3E%3Cscript%3Ealert(1)%3C/script%3E");
        let shown = app.anonymous.get(&path).await.assert_status(200);
        assert_safe(&shown);
        assert!(
            shown.text().contains("&quot;&gt;&lt;script&gt;"),
            "{}",
            shown.text()
        );
        let path = format!("/auth/pages/{page}");
        app.anonymous.get(&path).await.assert_status(200);
        let fields = [("token", "nonsense"), ("password", "a good long password")];
        let fields = if page == "reset-password" {
            &fields[..]
        } else {
            &fields[..1]
        };
        let refused = app
            .anonymous
            .request(http::Method::POST, &path)
            .form(fields)
            .await;
        assert_safe(&refused.assert_status(400));
        app.anonymous
            .post(&path, json!({ "token": "x" }))
            .await
            .assert_problem(415, "unsupported_media_type");
        let extra = app
            .anonymous
            .request(http::Method::POST, &path)
            .form(&[("token", "x"), ("user_id", "x")]);
        extra.await.assert_problem(422, "validation_failed");
        app.anonymous
            .get(&format!("{path}?token=%00"))
            .await
            .assert_problem(422, "validation_failed");
    }
}
