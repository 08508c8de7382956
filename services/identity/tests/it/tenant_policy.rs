//! What a tenant asks of those who work in it, where it counts: logins, refreshes, factors, passwords, addresses.

use bz_testkit::{Client, Role, Tenant, TestResponse};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    mailbox::Mailbox,
    mfa::{activate, enrol, shown, with_app},
    passkeys::with_passkey,
    step_up::reauthenticate,
    support::{
        HASHER, IdentityApp, PASSWORD, address, builder, cheap, claims, client, count, execute,
        guest_of_globex, login, refresh, start,
    },
};

const OFFICE: &str = "192.0.2.9";
const ELSEWHERE: &str = "198.51.100.9";

/// Gives acme a policy past its own check that nobody locks themselves out.
pub(crate) async fn set_policy(app: &IdentityApp, tenant: Tenant, policy: Value) {
    let sql = format!(
        "UPDATE identity.tenants SET policy = '{policy}' WHERE tenant_id = '{}'",
        tenant.id()
    );
    execute(app, &sql).await;
}

async fn require_mfa(app: &IdentityApp) {
    set_policy(app, Tenant::Acme, json!({ "mfa_required": true })).await;
}

async fn log_in(app: &IdentityApp, role: Role) -> Value {
    login(app, &address(Tenant::Acme, role), PASSWORD)
        .await
        .assert_status(200)
        .json()
}

/// What a session does that owes a second factor, and must not.
async fn assert_owes(client: &Client) {
    let refused = [
        client.get("/api/members").await,
        client.get("/auth/sessions").await,
        client.patch("/auth/me", json!({ "name": "x" })).await,
        client
            .post("/auth/switch-tenant", json!({ "tenant": "globex" }))
            .await,
        client
            .post("/api/authz/check", json!({ "permission": "leads:read" }))
            .await,
    ];
    for answer in refused {
        answer.assert_problem(403, "step_up_required");
    }
    client.get("/auth/me").await.assert_status(200);
    client.get("/auth/mfa").await.assert_status(200);
}

/// Pitfall 48: where a tenant asks for a second factor, a password alone opens the way to set one up and nothing else.
#[tokio::test]
async fn without_a_second_factor_a_session_can_only_set_one_up() {
    let app = start().await;
    require_mfa(&app).await;
    let session = log_in(&app, Role::Owner).await;
    assert_eq!(session["owes_second_factor"], true);
    let owing = claims(&app, &session).await;
    assert!(owing.owes_second_factor && owing.roles.is_empty() && owing.entitlements.is_empty());
    let owner = client(&app, &session);
    assert_owes(&owner).await;
    let refreshed = refresh(&app, &session["refresh_token"])
        .await
        .assert_status(200)
        .json();
    assert_eq!(refreshed["owes_second_factor"], true);
    assert_owes(&client(&app, &refreshed)).await;
    let enrolment = enrol(&owner).await;
    let code = shown(&app, enrolment["secret"].as_str().unwrap());
    activate(&owner, &enrolment, &code).await.assert_status(200);
    let full = refresh(&app, &refreshed["refresh_token"])
        .await
        .assert_status(200)
        .json();
    assert!(full.get("owes_second_factor").is_none(), "{full}");
    assert_eq!(claims(&app, &full).await.roles, ["owner"]);
    let owner = client(&app, &full);
    owner.get("/api/members").await.assert_status(200);
    // The app cannot go again while the tenant asks for one.
    let path = format!(
        "/auth/mfa/totp/{}",
        enrolment["enrollment_id"].as_str().unwrap()
    );
    owner
        .delete(&path)
        .await
        .assert_problem(403, "mfa_required_by_policy");
    assert_eq!(owner.get("/auth/mfa").await.json()["enabled"], true);
    let (_, passkey) = with_passkey(&owner, b"0123456789abcdef").await;
    owner.delete(&path).await.assert_status(204);
    let passkey = format!("/auth/passkeys/{}", passkey["id"].as_str().unwrap());
    owner
        .delete(&passkey)
        .await
        .assert_problem(403, "mfa_required_by_policy");
}

#[tokio::test]
async fn a_session_from_before_the_policy_owes_the_factor_that_its_user_has() {
    let app = start().await;
    let session = log_in(&app, Role::Member).await;
    let (secret, _) = with_app(&app).await;
    require_mfa(&app).await;
    let refreshed = refresh(&app, &session["refresh_token"])
        .await
        .assert_status(200)
        .json();
    let member = client(&app, &refreshed);
    assert_owes(&member).await;
    let again = reauthenticate(&member, json!({ "password": PASSWORD })).await;
    assert_eq!(again.assert_status(200).json()["acr"], "aal1");
    let fresh = reauthenticate(&member, json!({ "code": shown(&app, &secret) }))
        .await
        .assert_status(200)
        .json();
    let claims = claims(&app, &fresh).await;
    assert!(!claims.owes_second_factor && claims.roles == ["member"]);
    let member = client(&app, &fresh);
    member.get("/auth/sessions").await.assert_status(200);
}

/// Whoever knows the password of somebody with a passkey does not get past the policy by bringing an app of their own.
#[tokio::test]
async fn a_passkey_is_given_and_not_gone_around() {
    let app = start().await;
    let (mut device, _) = with_passkey(&app.acme.member, b"0123456789abcdef").await;
    require_mfa(&app).await;
    let session = log_in(&app, Role::Member).await;
    let member = client(&app, &session);
    assert_owes(&member).await;
    member
        .post("/auth/mfa/totp", json!({}))
        .await
        .assert_problem(403, "step_up_required");
    member
        .post("/auth/passkeys/register/options", json!({}))
        .await
        .assert_problem(403, "step_up_required");
    let asked = app
        .anonymous
        .post("/auth/passkeys/login/options", json!({}))
        .await
        .json();
    let passkey = json!({
        "passkey": { "ceremony": asked["ceremony"], "credential": device.get(&asked["options"]) },
    });
    let fresh = reauthenticate(&member, passkey)
        .await
        .assert_status(200)
        .json();
    client(&app, &fresh)
        .get("/auth/sessions")
        .await
        .assert_status(200);
}

/// Pitfall 33: what was allowed when a session started says nothing of what is allowed now.
#[tokio::test]
async fn a_session_that_is_older_than_the_policy_allows_since_ends_at_its_next_refresh() {
    let app = start().await;
    let old = log_in(&app, Role::Member).await;
    app.clock.advance(TimeDelta::hours(9));
    let young = log_in(&app, Role::Member).await;
    set_policy(&app, Tenant::Acme, json!({ "session_hours": 8 })).await;
    refresh(&app, &old["refresh_token"])
        .await
        .assert_problem(401, "refresh_token_expired");
    let refreshed = refresh(&app, &young["refresh_token"])
        .await
        .assert_status(200)
        .json();
    assert_eq!(refreshed["refresh_expires_in"], 8 * 3600);
    let listed = client(&app, &refreshed).get("/auth/sessions").await.json();
    let session = &listed["items"][0];
    let ends = |name: &str| {
        let text = session[name].as_str().unwrap();
        text.parse::<chrono::DateTime<chrono::Utc>>().unwrap()
    };
    assert_eq!(ends("expires_at") - ends("created_at"), TimeDelta::hours(8));
    app.clock.advance(TimeDelta::hours(8));
    refresh(&app, &refreshed["refresh_token"])
        .await
        .assert_problem(401, "refresh_token_expired");
}

#[tokio::test]
async fn a_session_that_has_rested_longer_than_the_policy_allows_since_ends_at_its_next_refresh() {
    let app = start().await;
    let rested = log_in(&app, Role::Member).await;
    app.clock.advance(TimeDelta::hours(3));
    set_policy(&app, Tenant::Acme, json!({ "session_idle_hours": 2 })).await;
    refresh(&app, &rested["refresh_token"])
        .await
        .assert_problem(401, "refresh_token_expired");
    let mut session = log_in(&app, Role::Member).await;
    for _ in 0..3 {
        app.clock.advance(TimeDelta::minutes(119));
        let token = &session["refresh_token"];
        session = refresh(&app, token).await.assert_status(200).json();
        assert_eq!(session["refresh_expires_in"], 2 * 3600);
    }
    // A lost answer is not given again by a session that is over.
    refresh(&app, &session["refresh_token"])
        .await
        .assert_status(200);
    set_policy(&app, Tenant::Acme, json!({ "session_hours": 1 })).await;
    refresh(&app, &session["refresh_token"])
        .await
        .assert_problem(401, "refresh_token_expired");
}

#[tokio::test]
async fn a_guest_owes_what_the_tenant_asks_for_since() {
    let app = start().await;
    let (_, entered) = guest_of_globex(&app, "member").await;
    set_policy(&app, Tenant::Globex, json!({ "mfa_required": true })).await;
    let refreshed = refresh(&app, &entered["refresh_token"])
        .await
        .assert_status(200)
        .json();
    assert_eq!(refreshed["owes_second_factor"], true);
    let guest = client(&app, &refreshed);
    guest
        .get("/api/members")
        .await
        .assert_problem(403, "step_up_required");
    let (secret, _) = with_app(&app).await;
    let fresh = reauthenticate(&guest, json!({ "code": shown(&app, &secret) }))
        .await
        .assert_status(200)
        .json();
    client(&app, &fresh)
        .get("/api/members")
        .await
        .assert_status(200);
}

async fn refresh_from(app: &IdentityApp, ip: &str, token: &Value) -> TestResponse {
    let body = json!({ "refresh_token": token });
    let request = app.anonymous.post("/auth/refresh", body);
    request.from(ip.parse().unwrap()).await
}

#[tokio::test]
async fn networks_count_at_every_login_and_refresh() {
    let app = HASHER.scope(cheap(), builder().start()).await;
    let (mut device, _) = with_passkey(&app.acme.viewer, b"0123456789abcdef").await;
    let session = log_in(&app, Role::Owner).await;
    let (secret, _) = with_app(&app).await;
    set_policy(&app, Tenant::Acme, json!({ "ip_allow": ["192.0.2.0/24"] })).await;
    let token = &session["refresh_token"];
    for _ in 0..2 {
        refresh_from(&app, ELSEWHERE, token)
            .await
            .assert_problem(403, "ip_not_allowed");
    }
    // The token was not used up, and nobody was logged out.
    let refreshed = refresh_from(&app, OFFICE, token)
        .await
        .assert_status(200)
        .json();
    let from = |ip: &str| ip.parse::<std::net::IpAddr>().unwrap();
    reauthenticate_from(&app, &refreshed, ELSEWHERE)
        .await
        .assert_problem(403, "ip_not_allowed");
    reauthenticate_from(&app, &refreshed, OFFICE)
        .await
        .assert_status(200);
    let body = json!({ "email": address(Tenant::Acme, Role::Member), "password": PASSWORD });
    let challenge = async |ip: &str| {
        let answer = app.anonymous.post("/auth/login", &body).from(from(ip));
        let token = answer.await.assert_status(200).json()["mfa_token"].clone();
        json!({ "mfa_token": token, "method": "totp", "code": shown(&app, &secret) })
    };
    let answer = challenge(OFFICE).await;
    app.anonymous
        .post("/auth/mfa/verify", answer)
        .from(from(ELSEWHERE))
        .await
        .assert_problem(403, "ip_not_allowed");
    app.clock.advance(TimeDelta::seconds(30));
    let answer = challenge(OFFICE).await;
    app.anonymous
        .post("/auth/mfa/verify", answer)
        .from(from(OFFICE))
        .await
        .assert_status(200);
    for (ip, status) in [(ELSEWHERE, 403), (OFFICE, 200)] {
        let options = app
            .anonymous
            .post("/auth/passkeys/login/options", json!({}));
        let asked = options.await.json();
        let answer = json!({
            "ceremony": asked["ceremony"], "credential": device.get(&asked["options"]),
        });
        let login = app.anonymous.post("/auth/passkeys/login/verify", answer);
        login.from(from(ip)).await.assert_status(status);
    }
    let living =
        "SELECT count(*) FROM identity.sessions WHERE ip = '198.51.100.9' AND revoked_at IS NULL";
    assert_eq!(count(&app, living).await, 0);
}

async fn reauthenticate_from(app: &IdentityApp, session: &Value, ip: &str) -> TestResponse {
    let body = json!({ "password": PASSWORD });
    let request = client(app, session).post("/auth/reauthenticate", body);
    request.from(ip.parse().unwrap()).await
}

#[tokio::test]
async fn new_passwords_have_as_many_characters_as_the_tenant_asks_for() {
    let mailbox = Mailbox::new();
    let app = mailbox.start(builder()).await;
    set_policy(&app, Tenant::Acme, json!({ "password_min_length": 20 })).await;
    let member = client(&app, &log_in(&app, Role::Member).await);
    let change = async |new: &str| {
        let body = json!({ "current_password": PASSWORD, "new_password": new });
        member.post("/auth/password/change", body).await
    };
    let short = change("nineteen letters xy").await;
    let short = short.assert_problem(422, "validation_failed").json();
    assert_eq!(short["errors"][0]["pointer"], "/new_password");
    assert_eq!(short["errors"][0]["code"], "too_short");
    change("twenty letters in it!").await.assert_status(204);
    let email = address(Tenant::Acme, Role::Viewer);
    app.anonymous
        .post("/auth/password/forgot", json!({ "email": email }))
        .await
        .assert_status(202);
    let token = mailbox.take(&email).await.token();
    let reset = async |new: &str| {
        let body = json!({ "token": token, "password": new });
        app.anonymous.post("/auth/password/reset", body).await
    };
    let short = reset("nineteen letters xy").await;
    let short = short.assert_problem(422, "validation_failed").json();
    assert_eq!(short["errors"][0]["pointer"], "/password");
    reset("twenty letters in it!").await.assert_status(204);
}

#[tokio::test]
async fn addresses_are_of_the_domains_that_the_tenant_allows() {
    let mailbox = Mailbox::new();
    let app = mailbox.start(builder()).await;
    let domains = |domains: &[&str]| json!({ "allowed_domains": domains });
    set_policy(&app, Tenant::Acme, domains(&["acme.test"])).await;
    let member = client(&app, &log_in(&app, Role::Member).await);
    let change = async |new: &str| {
        let body = json!({ "new_email": new });
        member.post("/auth/email/change", body).await
    };
    let refused = change("member@elsewhere.test").await;
    let refused = refused.assert_problem(422, "validation_failed").json();
    assert_eq!(refused["errors"][0]["code"], "domain_not_allowed");
    change("new@acme.test").await.assert_status(202);
    let token = json!({ "token": mailbox.take("new@acme.test").await.token() });
    // The policy may be another one by the time that the link is followed.
    set_policy(&app, Tenant::Acme, domains(&["acme.example"])).await;
    app.anonymous
        .post("/auth/email/change/confirm", &token)
        .await
        .assert_problem(400, "token_invalid");
    set_policy(&app, Tenant::Acme, domains(&["acme.test"])).await;
    app.anonymous
        .post("/auth/email/change/confirm", &token)
        .await
        .assert_status(204);
    let user = |email: &str| json!({ "email": email, "roles": ["member"] });
    let made = app.acme.owner.post("/api/users", user("x@elsewhere.test"));
    let made = made.await.assert_problem(422, "validation_failed").json();
    assert_eq!(made["errors"][0]["code"], "domain_not_allowed");
    app.acme
        .owner
        .post("/api/users", user("x@acme.test"))
        .await
        .assert_status(201);
}
