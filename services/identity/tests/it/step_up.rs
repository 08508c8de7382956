//! Proving once more who one is, with a second factor: sessions that become stronger, and what asks for that.

use bz_testkit::{Client, Role, Tenant, TestResponse};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    mfa::{activate, enrol, shown, with_app},
    passkeys::with_passkey,
    support::{
        HASHER, IdentityApp, PASSWORD, address, builder, cheap, claims, client, count,
        guest_of_globex, login, refresh, start,
    },
};

pub(crate) async fn reauthenticate(client: &Client, proof: Value) -> TestResponse {
    client.post("/auth/reauthenticate", proof).await
}

/// Member of acme with a session that began before there was an app, and the app's secret and recovery codes.
async fn weak_session(app: &IdentityApp) -> (Value, String, Vec<String>) {
    let session = login(app, &address(Tenant::Acme, Role::Member), PASSWORD)
        .await
        .assert_status(200)
        .json();
    let (secret, codes) = with_app(app).await;
    (session, secret, codes)
}

#[tokio::test]
async fn a_code_makes_a_session_one_of_two_factors_and_recent() {
    let app = start().await;
    let (session, secret, codes) = weak_session(&app).await;
    let member = client(&app, &session);
    assert_eq!(claims(&app, &session).await.acr.as_deref(), Some("aal1"));
    app.clock.advance(TimeDelta::minutes(6));
    let fresh = reauthenticate(&member, json!({ "code": shown(&app, &secret) }))
        .await
        .assert_status(200)
        .json();
    assert_eq!(fresh["acr"], "aal2");
    let first = claims(&app, &fresh).await;
    assert_eq!(first.acr.as_deref(), Some("aal2"));
    assert_eq!(first.amr, ["pwd", "otp", "mfa"]);
    let now = u64::try_from(app.core.sources.now().timestamp()).unwrap();
    assert_eq!(first.auth_time, Some(now));
    assert_eq!(first.sid, claims(&app, &session).await.sid);
    let refreshed = refresh(&app, &session["refresh_token"])
        .await
        .assert_status(200)
        .json();
    let refreshed = claims(&app, &refreshed).await;
    assert_eq!(
        (refreshed.acr.as_deref(), refreshed.amr),
        (Some("aal2"), first.amr),
        "the session remembers"
    );
    // Each code is good once, of either kind.
    let again = json!({ "code": shown(&app, &secret), "method": "totp" });
    reauthenticate(&member, again)
        .await
        .assert_problem(401, "mfa_invalid");
    let recovery = json!({ "code": codes[0] });
    reauthenticate(&member, recovery.clone())
        .await
        .assert_status(200);
    reauthenticate(&member, recovery)
        .await
        .assert_problem(401, "mfa_invalid");
    let noted = "SELECT count(*) FROM identity.audit_log WHERE action = 'session.reauthenticated' AND result = ";
    assert_eq!(count(&app, &format!("{noted}'success'")).await, 2);
    assert_eq!(count(&app, &format!("{noted}'failure'")).await, 2);
}

#[tokio::test]
async fn all_that_is_sent_must_be_right() {
    let app = start().await;
    let (session, secret, _) = weak_session(&app).await;
    let member = client(&app, &session);
    let code = shown(&app, &secret);
    reauthenticate(&member, json!({ "password": "wrong", "code": code }))
        .await
        .assert_problem(401, "invalid_credentials");
    reauthenticate(&member, json!({ "password": PASSWORD, "code": "000000" }))
        .await
        .assert_problem(401, "mfa_invalid");
    let both = json!({ "password": PASSWORD, "code": code });
    let fresh = reauthenticate(&member, both)
        .await
        .assert_status(200)
        .json();
    assert_eq!(fresh["acr"], "aal2", "a wrong password used no code up");
    for bad in [
        json!({}),
        json!({ "code": "" }),
        json!({ "code": "1".repeat(65) }),
        json!({ "code": "123456", "method": "sms" }),
        json!({ "passkey": {} }),
        json!({ "acr": "aal2" }),
    ] {
        let answer = reauthenticate(&member, bad).await;
        assert!(
            answer.status == 422 || answer.status == 400,
            "{}",
            answer.describe()
        );
    }
    reauthenticate(&app.anonymous, json!({ "code": "123456" }))
        .await
        .assert_problem(401, "unauthenticated");
    // Nobody else's code is any good.
    let other = login(&app, &address(Tenant::Globex, Role::Member), PASSWORD)
        .await
        .json();
    app.clock.advance(TimeDelta::seconds(30));
    let code = json!({ "code": shown(&app, &secret) });
    reauthenticate(&client(&app, &other), code)
        .await
        .assert_problem(401, "mfa_invalid");
}

/// Pitfall 47: the count of wrong codes is the user's, whatever they are sent to.
#[tokio::test]
async fn codes_are_not_guessed_with_a_stolen_access_token() {
    let app = HASHER.scope(cheap(), builder().start()).await;
    let (session, secret, _) = weak_session(&app).await;
    let member = client(&app, &session);
    for guess in 0..10 {
        reauthenticate(&member, json!({ "code": format!("00000{guess}") }))
            .await
            .assert_problem(401, "mfa_invalid");
    }
    let right = json!({ "code": shown(&app, &secret) });
    reauthenticate(&member, right)
        .await
        .assert_problem(429, "rate_limited");
    app.clock.advance(TimeDelta::minutes(61));
    let later = login(&app, &address(Tenant::Acme, Role::Member), PASSWORD).await;
    let token = later.assert_status(200).json()["mfa_token"].clone();
    let code = json!({ "mfa_token": token, "method": "totp", "code": shown(&app, &secret) });
    app.anonymous
        .post("/auth/mfa/verify", code)
        .await
        .assert_status(200);
}

#[tokio::test]
async fn a_passkey_makes_a_session_one_of_two_factors() {
    let app = start().await;
    let session = login(&app, &address(Tenant::Acme, Role::Member), PASSWORD)
        .await
        .json();
    let (mut device, _) = with_passkey(&app.acme.member, b"0123456789abcdef").await;
    let (mut foreign, _) = with_passkey(&app.globex.member, b"fedcba9876543210").await;
    let member = client(&app, &session);
    let ceremony = async || {
        let options = app
            .anonymous
            .post("/auth/passkeys/login/options", json!({}));
        options.await.assert_status(200).json()
    };
    let asked = ceremony().await;
    let passkey = json!({
        "passkey": { "ceremony": asked["ceremony"], "credential": device.get(&asked["options"]) },
    });
    let fresh = reauthenticate(&member, passkey.clone())
        .await
        .assert_status(200)
        .json();
    assert_eq!(fresh["acr"], "aal2");
    assert_eq!(
        claims(&app, &fresh).await.amr,
        ["pwd", "hwk", "user", "mfa"]
    );
    reauthenticate(&member, passkey)
        .await
        .assert_problem(401, "passkey_invalid");
    let asked = ceremony().await;
    let passkey = json!({
        "passkey": { "ceremony": asked["ceremony"], "credential": foreign.get(&asked["options"]) },
    });
    reauthenticate(&member, passkey)
        .await
        .assert_problem(401, "passkey_invalid");
}

#[tokio::test]
async fn a_guest_proves_with_the_factors_of_home() {
    let app = start().await;
    let (_, entered) = guest_of_globex(&app, "member").await;
    let (secret, _) = with_app(&app).await;
    let guest = client(&app, &entered);
    let fresh = reauthenticate(&guest, json!({ "code": shown(&app, &secret) }))
        .await
        .assert_status(200)
        .json();
    assert_eq!(claims(&app, &fresh).await.acr.as_deref(), Some("aal2"));
    guest
        .post("/auth/mfa/totp", json!({}))
        .await
        .assert_problem(409, "not_home_tenant");
    guest
        .post("/auth/passkeys/register/options", json!({}))
        .await
        .assert_problem(409, "not_home_tenant");
}

#[tokio::test]
async fn whoever_sets_a_factor_up_has_given_it() {
    let app = start().await;
    let session = login(&app, &address(Tenant::Acme, Role::Member), PASSWORD)
        .await
        .json();
    let member = client(&app, &session);
    let enrolment = enrol(&member).await;
    let code = shown(&app, enrolment["secret"].as_str().unwrap());
    activate(&member, &enrolment, &code)
        .await
        .assert_status(200);
    let refreshed = refresh(&app, &session["refresh_token"])
        .await
        .assert_status(200)
        .json();
    assert_eq!(claims(&app, &refreshed).await.acr.as_deref(), Some("aal2"));
    let session = login(&app, &address(Tenant::Acme, Role::Viewer), PASSWORD)
        .await
        .json();
    with_passkey(&client(&app, &session), b"0123456789abcdef").await;
    let refreshed = refresh(&app, &session["refresh_token"])
        .await
        .assert_status(200)
        .json();
    let claims = claims(&app, &refreshed).await;
    assert_eq!(
        (claims.acr.as_deref(), &claims.amr[..]),
        (
            Some("aal2"),
            &["pwd".to_owned(), "user".into(), "mfa".into()][..]
        )
    );
}

/// Whoever has an app changes no factor with a session that has not been given one: the password and an old session are not
/// enough to get rid of the app, or to bring another factor in.
#[tokio::test]
async fn second_factors_are_changed_with_a_second_factor_only() {
    let app = start().await;
    let (session, secret, _) = weak_session(&app).await;
    let member = client(&app, &session);
    let id = member.get("/auth/mfa").await.json()["totp"]["id"].clone();
    let path = format!("/auth/mfa/totp/{}", id.as_str().unwrap());
    let refused = [
        member.delete(&path).await,
        member.post("/auth/mfa/recovery-codes", json!({})).await,
        member
            .post("/auth/passkeys/register/options", json!({}))
            .await,
    ];
    for answer in refused {
        let answer = answer.assert_problem(403, "step_up_required");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.contains(r#"acr_values="aal2""#), "{challenge}");
    }
    let fresh = reauthenticate(&member, json!({ "code": shown(&app, &secret) }))
        .await
        .assert_status(200)
        .json();
    let member = client(&app, &fresh);
    let (_, passkey) = with_passkey(&member, b"0123456789abcdef").await;
    let passkey = format!("/auth/passkeys/{}", passkey["id"].as_str().unwrap());
    client(&app, &session)
        .delete(&passkey)
        .await
        .assert_problem(403, "step_up_required");
    member.delete(&passkey).await.assert_status(204);
    member.delete(&path).await.assert_status(204);
}
