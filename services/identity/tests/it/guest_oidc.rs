//! Guests log in to applications of the tenant that they are guests of, with what they have at home.

use bz_testkit::{Role, Tenant};
use chrono::TimeDelta;
use serde_json::json;

use crate::{
    mfa::{shown, with_app},
    provider::{Application, Browser, REDIRECT_URI, payload, token},
    support::{IdentityApp, PASSWORD, address, guest_of_globex, start},
};

/// An application of globex, where the member of acme is a guest.
async fn application(app: &IdentityApp) -> Application {
    guest_of_globex(app, "viewer").await;
    let request = json!({
        "name": "Theirs", "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "client_secret_post",
        "allowed_scopes": ["openid", "profile", "email", "offline_access"],
        "grant_types": ["authorization_code", "refresh_token"],
        "role_claim_mapping": { "claim": "groups", "roles": { "viewer": "Guest", "member": "Staff" } },
    });
    let created = app.globex.owner.post("/api/oauth-clients", request).await;
    let created = created.assert_status(201).json();
    let text = |name: &str| created[name].as_str().unwrap().to_owned();
    Application {
        id: text("id"),
        client_id: text("client_id"),
        secret: text("client_secret"),
    }
}

fn guest() -> String {
    address(Tenant::Acme, Role::Member)
}

#[tokio::test]
async fn a_guest_logs_in_with_the_password_of_home_and_has_the_roles_of_the_place() {
    let app = start().await;
    let client = application(&app).await;
    let mut browser = Browser::new(&app);
    let code = browser.code(&client.request(&[]), &guest()).await;
    let tokens = token(&app, &client.redemption(&code))
        .await
        .assert_status(200)
        .json();
    let (id, access) = (
        payload(&tokens["id_token"]),
        payload(&tokens["access_token"]),
    );
    assert_eq!(id["sub"], json!(Tenant::Acme.user(Role::Member)));
    assert_eq!(
        (&id["tid"], &id["groups"]),
        (&json!(Tenant::Globex.id()), &json!(["Guest"]))
    );
    assert_eq!(
        (&access["tid"], &access["htid"]),
        (&json!(Tenant::Globex.id()), &json!(Tenant::Acme.id()))
    );
    // A second request needs nobody: the browser is logged in there, and at home it is not.
    let again = browser
        .authorize(&client.request(&[("prompt", "none")]))
        .await;
    again.assert_status(303);
    let at_home = Application::register(&app).await;
    let page = browser
        .authorize(&at_home.request(&[]))
        .await
        .assert_status(200);
    assert!(page.text().contains("name=\"password\""));
    client
        .refresh(&app, &tokens["refresh_token"], "")
        .await
        .assert_status(200);
}

#[tokio::test]
async fn whoever_is_no_guest_any_more_or_has_the_wrong_password_gets_the_answer_of_everybody() {
    let app = start().await;
    let client = application(&app).await;
    let answer = async |email: &str, password: &str| {
        let mut browser = Browser::new(&app);
        let page = browser.authorize(&client.request(&[])).await;
        let answer = browser
            .submit(&page, &[("email", email), ("password", password)])
            .await;
        (
            answer.status.as_u16(),
            answer.text().replace(email, "").len(),
        )
    };
    let nobody = answer("nobody@example.com", PASSWORD).await;
    assert_eq!(nobody.0, 422);
    assert_eq!(answer(&guest(), "wrong password").await, nobody);
    assert_eq!(
        answer(&address(Tenant::Acme, Role::Viewer), PASSWORD).await,
        nobody
    );
    let member = format!("/api/members/{}", Tenant::Acme.user(Role::Member));
    app.globex.owner.delete(&member).await.assert_status(204);
    assert_eq!(answer(&guest(), PASSWORD).await, nobody);
}

#[tokio::test]
async fn the_second_factor_of_home_is_asked_for_and_a_policy_may_ask_for_one() {
    let app = start().await;
    let client = application(&app).await;
    let policy = format!("/api/tenants/{}/policy", Tenant::Globex.id());
    let asks = json!({ "mfa_required": true });
    app.globex.owner.put(&policy, asks).await.assert_status(200);
    let mut browser = Browser::new(&app);
    let page = browser.authorize(&client.request(&[])).await;
    let fields = [("email", &*guest()), ("password", PASSWORD)];
    let refused = browser.submit(&page, &fields).await.assert_status(403);
    assert!(
        refused.text().contains("second factor"),
        "{}",
        refused.text()
    );
    let (secret, _) = with_app(&app).await;
    let page = browser.submit(&page, &fields).await.assert_status(200);
    let sent = browser
        .submit(&page, &[("code", &shown(&app, &secret))])
        .await;
    let next = sent.assert_status(303);
    let consent = browser.get(next.header("location").unwrap()).await;
    let back = browser.submit(&consent, &[("decision", "allow")]).await;
    let code = crate::provider::location(&back)["code"].clone();
    let tokens = token(&app, &client.redemption(&code))
        .await
        .assert_status(200)
        .json();
    assert_eq!(payload(&tokens["id_token"])["acr"], "aal2");
}

#[tokio::test]
async fn what_ends_at_home_ends_for_the_guest() {
    let app = start().await;
    let client = application(&app).await;
    let mut browser = Browser::new(&app);
    let code = browser.code(&client.request(&[]), &guest()).await;
    let tokens = token(&app, &client.redemption(&code))
        .await
        .assert_status(200)
        .json();
    let path = format!("/api/users/{}/disable", Tenant::Acme.user(Role::Member));
    let disabled = app.acme.owner.post(&path, json!({})).await;
    assert!(disabled.status.is_success(), "{}", disabled.describe());
    app.clock.advance(TimeDelta::seconds(11));
    client
        .refresh(&app, &tokens["refresh_token"], "")
        .await
        .assert_status(400);
    let page = browser
        .authorize(&client.request(&[("prompt", "none")]))
        .await;
    crate::provider::assert_error(&page, "login_required", "disabled");
}
