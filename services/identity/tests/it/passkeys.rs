use bz_testkit::{Client, Role, Tenant, TestResponse};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    authenticator::Authenticator,
    support::{IdentityApp, claims, refresh, start},
};

const CREDENTIAL: &[u8] = b"0123456789abcdef";

async fn options(client: &Client) -> Value {
    client
        .post("/auth/passkeys/register/options", json!({}))
        .await
        .assert_status(200)
        .json()
}

async fn register(client: &Client, ceremony: &Value, credential: &Value) -> TestResponse {
    let request = json!({
        "ceremony_id": ceremony["ceremony_id"], "name": "Work laptop", "credential": credential,
    });
    client.post("/auth/passkeys/register/verify", request).await
}

/// A passkey of the client's user.
pub(crate) async fn with_passkey(client: &Client, id: &[u8]) -> (Authenticator, Value) {
    let ceremony = options(client).await;
    let (device, credential) = Authenticator::create(&ceremony["options"], id);
    let passkey = register(client, &ceremony, &credential)
        .await
        .assert_status(201)
        .json();
    (device, passkey)
}

async fn login_options(app: &IdentityApp) -> Value {
    app.anonymous
        .post("/auth/passkeys/login/options", json!({}))
        .await
        .assert_status(200)
        .json()
}

async fn login(app: &IdentityApp, ceremony: &Value, credential: &Value) -> TestResponse {
    let request = json!({ "ceremony": ceremony["ceremony"], "credential": credential });
    app.anonymous
        .post("/auth/passkeys/login/verify", request)
        .await
}

#[tokio::test]
async fn a_passkey_logs_in_without_a_name_or_a_password() {
    let app = start().await;
    let (mut device, passkey) = with_passkey(&app.acme.member, CREDENTIAL).await;
    assert_eq!(passkey["name"], "Work laptop");
    assert_eq!(passkey["last_used_at"], Value::Null);
    let ceremony = login_options(&app).await;
    let asked = &ceremony["options"]["publicKey"];
    assert_eq!(asked["allowCredentials"], json!([]), "nobody is named");
    assert_eq!(asked["userVerification"], "required");
    let answer = login(&app, &ceremony, &device.get(&ceremony["options"]))
        .await
        .assert_status(200)
        .json();
    assert_eq!(answer["user"]["email"], "member@acme.test");
    assert_eq!(answer["tenant"]["slug"], "acme");
    let claims = claims(&app, &answer).await;
    assert_eq!(claims.acr.as_deref(), Some("aal2"));
    assert_eq!(claims.amr, ["hwk", "user", "mfa"]);
    refresh(&app, &answer["refresh_token"])
        .await
        .assert_status(200);
    let list = app.acme.member.get("/auth/passkeys").await.json();
    assert_eq!(list["items"][0]["last_used_at"], "2026-03-02T09:00:00Z");
    assert_eq!(list["next_cursor"], Value::Null);
}

#[tokio::test]
async fn a_registration_is_good_once_for_its_user_and_for_a_while() {
    let app = start().await;
    let member = &app.acme.member;
    let ceremony = options(member).await;
    assert_eq!(
        ceremony["options"]["publicKey"]["authenticatorSelection"]["residentKey"],
        "required"
    );
    let (_, credential) = Authenticator::create(&ceremony["options"], CREDENTIAL);
    register(&app.acme.viewer, &ceremony, &credential)
        .await
        .assert_problem(400, "ceremony_invalid");
    register(&app.globex.member, &ceremony, &credential)
        .await
        .assert_problem(400, "ceremony_invalid");
    register(member, &ceremony, &credential)
        .await
        .assert_status(201);
    register(member, &ceremony, &credential)
        .await
        .assert_problem(400, "ceremony_invalid");
    let ceremony = options(member).await;
    let excluded = &ceremony["options"]["publicKey"]["excludeCredentials"];
    assert_eq!(excluded.as_array().unwrap().len(), 1);
    let (_, late) = Authenticator::create(&ceremony["options"], b"another-credential");
    app.clock.advance(TimeDelta::seconds(331));
    // The login is not recent any more either; a token of now has the ceremony to look at.
    let fresh = app
        .anonymous
        .with_token(app.tokens.user(Tenant::Acme, Role::Member));
    register(&fresh, &ceremony, &late)
        .await
        .assert_problem(400, "ceremony_invalid");
}

#[tokio::test]
async fn a_credential_is_one_users_in_the_whole_installation() {
    let app = start().await;
    with_passkey(&app.acme.member, CREDENTIAL).await;
    for client in [&app.acme.viewer, &app.globex.owner] {
        let ceremony = options(client).await;
        let (_, credential) = Authenticator::create(&ceremony["options"], CREDENTIAL);
        register(client, &ceremony, &credential)
            .await
            .assert_problem(409, "passkey_taken");
    }
}

#[tokio::test]
async fn what_did_not_answer_this_ceremony_is_not_accepted() {
    let app = start().await;
    let (mut device, _) = with_passkey(&app.acme.member, CREDENTIAL).await;
    let refused = async |ceremony: &Value, credential: &Value| {
        login(&app, ceremony, credential)
            .await
            .assert_problem(401, "passkey_invalid")
            .body
            .len()
    };
    let (one, other) = (login_options(&app).await, login_options(&app).await);
    let for_other = device.get(&other["options"]);
    let sizes = [
        refused(&one, &for_other).await,
        {
            let mut tampered = device.get(&one["options"]);
            tampered["response"]["userHandle"] = json!("AAAAAAAAAAAAAAAAAAAAAA");
            refused(&one, &tampered).await
        },
        {
            device.origin = "https://phishing.example".to_owned();
            refused(&one, &device.get(&one["options"])).await
        },
        {
            device.origin = "http://localhost:3000".to_owned();
            device.verifies_user = false;
            refused(&one, &device.get(&one["options"])).await
        },
        {
            let created = options(&app.acme.viewer).await;
            let (mut stranger, _) = Authenticator::create(&created["options"], b"never-registered");
            refused(&one, &stranger.get(&one["options"])).await
        },
        refused(&json!({ "ceremony": "AAAA" }), &for_other).await,
    ];
    assert!(sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
    device.verifies_user = true;
    app.clock.advance(TimeDelta::seconds(331));
    refused(&one, &device.get(&one["options"])).await;
}

#[tokio::test]
async fn a_ceremony_is_good_once_and_a_copied_device_is_noticed() {
    let app = start().await;
    let (mut device, _) = with_passkey(&app.acme.member, CREDENTIAL).await;
    let ceremony = login_options(&app).await;
    let answer = device.get(&ceremony["options"]);
    let attempts = (0..6).map(|_| login(&app, &ceremony, &answer));
    let answers = futures_util::future::join_all(attempts).await;
    let entered = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(entered, 1);
    let ceremony = login_options(&app).await;
    login(&app, &ceremony, &device.get_again(&ceremony["options"]))
        .await
        .assert_problem(401, "passkey_invalid");
    let ceremony = login_options(&app).await;
    login(&app, &ceremony, &device.get(&ceremony["options"]))
        .await
        .assert_status(200);
}

#[tokio::test]
async fn a_passkey_is_renamed_and_removed_by_its_user_only() {
    let app = start().await;
    let member = &app.acme.member;
    let (mut device, passkey) = with_passkey(member, CREDENTIAL).await;
    let path = format!("/auth/passkeys/{}", passkey["id"].as_str().unwrap());
    let renamed = member
        .patch(&path, json!({ "name": "Phone" }))
        .await
        .assert_status(200)
        .json();
    assert_eq!(renamed["name"], "Phone");
    for name in ["", "  ", &"x".repeat(121)] {
        member
            .patch(&path, json!({ "name": name }))
            .await
            .assert_problem(422, "validation_failed");
    }
    for stranger in [&app.acme.viewer, &app.globex.owner] {
        stranger
            .patch(&path, json!({ "name": "Mine" }))
            .await
            .assert_problem(404, "not_found");
        stranger
            .delete(&path)
            .await
            .assert_problem(404, "not_found");
    }
    let ceremony = login_options(&app).await;
    let session = login(&app, &ceremony, &device.get(&ceremony["options"]))
        .await
        .assert_status(200)
        .json();
    member.delete(&path).await.assert_status(204);
    member.delete(&path).await.assert_problem(404, "not_found");
    refresh(&app, &session["refresh_token"])
        .await
        .assert_problem(401, "session_revoked");
    let ceremony = login_options(&app).await;
    login(&app, &ceremony, &device.get(&ceremony["options"]))
        .await
        .assert_problem(401, "passkey_invalid");
}

#[tokio::test]
async fn passkeys_are_changed_after_a_recent_login_only() {
    let app = start().await;
    let (_, passkey) = with_passkey(&app.acme.member, CREDENTIAL).await;
    app.clock.advance(TimeDelta::minutes(6));
    let member = &app.acme.member;
    let path = format!("/auth/passkeys/{}", passkey["id"].as_str().unwrap());
    member
        .post("/auth/passkeys/register/options", json!({}))
        .await
        .assert_problem(401, "reauthentication_required");
    member
        .delete(&path)
        .await
        .assert_problem(401, "reauthentication_required");
}

#[tokio::test]
async fn a_disabled_user_does_not_get_in_by_a_passkey() {
    let app = start().await;
    let (mut device, _) = with_passkey(&app.acme.member, CREDENTIAL).await;
    sqlx::query("UPDATE identity.users SET status = 'disabled' WHERE email = 'member@acme.test'")
        .execute(&mut app.database.admin().await)
        .await
        .unwrap();
    let ceremony = login_options(&app).await;
    login(&app, &ceremony, &device.get(&ceremony["options"]))
        .await
        .assert_problem(401, "passkey_invalid");
}
