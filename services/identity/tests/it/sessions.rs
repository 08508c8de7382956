use bz_auth::{Claims, claims};
use bz_testkit::{Client, Role, Tenant};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{IdentityApp, PASSWORD, address, claims as claims_of, login, refresh, start};

/// A session of the owner behind a client: their address is that of their tenant.
pub(crate) async fn of(owner: &Client) -> String {
    let me = owner.get("/auth/me").await.assert_status(200).json();
    let request = json!({ "email": me["email"], "password": PASSWORD });
    let answer = owner
        .post("/auth/login", request)
        .await
        .assert_status(200)
        .json();
    answer["session_id"].as_str().unwrap().to_owned()
}

async fn log_in(app: &IdentityApp, tenant: Tenant, role: Role) -> (Client, Value) {
    app.clock.advance(TimeDelta::seconds(1));
    let answer = login(app, &address(tenant, role), PASSWORD)
        .await
        .assert_status(200)
        .json();
    let client = app
        .anonymous
        .with_token(answer["access_token"].as_str().unwrap());
    (client, answer)
}

async fn list(client: &Client, query: &str) -> Value {
    client
        .get(&format!("/auth/sessions{query}"))
        .await
        .assert_status(200)
        .json()
}

fn ids(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_user_sees_where_they_are_logged_in_newest_first() {
    let app = start().await;
    let (_, old) = log_in(&app, Tenant::Acme, Role::Viewer).await;
    let body = json!({ "email": address(Tenant::Acme, Role::Viewer), "password": PASSWORD });
    app.clock.advance(TimeDelta::seconds(9));
    let browser = app
        .anonymous
        .post("/auth/login", body)
        .header("user-agent", "Firefox 140");
    let new = browser.await.assert_status(200).json();
    let client = app
        .anonymous
        .with_token(new["access_token"].as_str().unwrap());
    log_in(&app, Tenant::Acme, Role::Owner).await;
    log_in(&app, Tenant::Globex, Role::Viewer).await;
    let seen = list(&client, "").await;
    assert_eq!(
        seen["items"][0],
        json!({
            "id": new["session_id"], "current": true, "tenant_id": Tenant::Acme.id(), "client_id": "web",
            "created_at": "2026-03-02T09:00:10Z", "auth_time": "2026-03-02T09:00:10Z",
            "last_used_at": "2026-03-02T09:00:10Z", "expires_at": "2026-04-01T09:00:10Z",
            "ip": null, "user_agent": "Firefox 140", "device_name": null, "acr": "aal1", "amr": ["pwd"],
        })
    );
    assert_eq!(
        ids(&seen),
        [
            new["session_id"].as_str().unwrap(),
            old["session_id"].as_str().unwrap()
        ]
    );
    assert_eq!(
        (&seen["items"][1]["current"], &seen["next_cursor"]),
        (&json!(false), &Value::Null)
    );
    let page = list(&client, "?limit=1").await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = list(&client, &format!("?limit=1&cursor={cursor}")).await;
    assert_eq!(ids(&rest), [old["session_id"].as_str().unwrap()]);
    assert_eq!(rest["next_cursor"], Value::Null);
    for wrong in ["?limit=0", "?limit=101", "?cursor=x", "?user=x"] {
        let answer = client.get(&format!("/auth/sessions{wrong}")).await;
        answer.assert_problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn a_refresh_shows_where_it_came_from() {
    let app = start().await;
    let (client, first) = log_in(&app, Tenant::Acme, Role::Member).await;
    app.clock.advance(TimeDelta::minutes(5));
    let body = json!({ "refresh_token": first["refresh_token"] });
    let moved = app
        .anonymous
        .post("/auth/refresh", body)
        .header("user-agent", "curl/8");
    moved.await.assert_status(200);
    let seen = &list(&client, "").await["items"][0];
    assert_eq!(
        (
            &seen["user_agent"],
            &seen["created_at"],
            &seen["last_used_at"]
        ),
        (
            &json!("curl/8"),
            &json!("2026-03-02T09:00:01Z"),
            &json!("2026-03-02T09:05:01Z")
        )
    );
}

#[tokio::test]
async fn sessions_that_have_ended_or_idled_out_are_not_listed() {
    let app = start().await;
    let (_, unused) = log_in(&app, Tenant::Acme, Role::Member).await;
    let (_, ended) = log_in(&app, Tenant::Acme, Role::Member).await;
    let logout = json!({ "refresh_token": ended["refresh_token"] });
    app.anonymous
        .post("/auth/logout", logout)
        .await
        .assert_status(204);
    app.clock.advance(TimeDelta::days(13));
    let (client, now) = log_in(&app, Tenant::Acme, Role::Member).await;
    assert_eq!(ids(&list(&client, "").await).len(), 2);
    app.clock.advance(TimeDelta::days(1));
    let (client, last) = log_in(&app, Tenant::Acme, Role::Member).await;
    let seen = list(&client, "").await;
    assert_eq!(
        ids(&seen),
        [
            last["session_id"].as_str().unwrap(),
            now["session_id"].as_str().unwrap()
        ]
    );
    refresh(&app, &unused["refresh_token"])
        .await
        .assert_problem(401, "refresh_token_expired");
}

#[tokio::test]
async fn a_user_ends_one_of_their_sessions_and_may_repeat_it() {
    let app = start().await;
    let (_, lost) = log_in(&app, Tenant::Acme, Role::Member).await;
    let (client, kept) = log_in(&app, Tenant::Acme, Role::Member).await;
    let path = format!("/auth/sessions/{}", lost["session_id"].as_str().unwrap());
    for _ in 0..2 {
        client.delete(&path).await.assert_status(204);
    }
    refresh(&app, &lost["refresh_token"])
        .await
        .assert_problem(401, "session_revoked");
    refresh(&app, &kept["refresh_token"])
        .await
        .assert_status(200);
    let mut admin = app.database.admin().await;
    let written: (i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM identity.audit_log WHERE action = 'session.revoked'), \
                (SELECT count(*) FROM identity.events WHERE kind = 'session.revoked'), \
                (SELECT count(*) FROM identity.revocations WHERE kind = 'session')",
    )
    .fetch_one(&mut admin)
    .await
    .unwrap();
    assert_eq!(written, (1, 1, 1));
}

#[tokio::test]
async fn a_colleagues_session_is_not_ones_own() {
    let app = start().await;
    let (_, owners) = log_in(&app, Tenant::Acme, Role::Owner).await;
    let (client, _) = log_in(&app, Tenant::Acme, Role::Member).await;
    let path = format!("/auth/sessions/{}", owners["session_id"].as_str().unwrap());
    client.delete(&path).await.assert_problem(404, "not_found");
    let nobodys = format!("/auth/sessions/{}", uuid::Uuid::nil());
    client
        .delete(&nobodys)
        .await
        .assert_problem(404, "not_found");
    app.anonymous
        .delete(&path)
        .await
        .assert_problem(401, "unauthenticated");
    refresh(&app, &owners["refresh_token"])
        .await
        .assert_status(200);
}

#[tokio::test]
async fn all_sessions_end_or_all_but_the_current_one() {
    let app = start().await;
    let (_, first) = log_in(&app, Tenant::Acme, Role::Member).await;
    let (client, second) = log_in(&app, Tenant::Acme, Role::Member).await;
    let (_, owners) = log_in(&app, Tenant::Acme, Role::Owner).await;
    for _ in 0..2 {
        client
            .delete("/auth/sessions?except=current")
            .await
            .assert_status(204);
    }
    refresh(&app, &first["refresh_token"])
        .await
        .assert_problem(401, "session_revoked");
    let second = refresh(&app, &second["refresh_token"])
        .await
        .assert_status(200)
        .json();
    client
        .delete("/auth/sessions?except=me")
        .await
        .assert_problem(422, "validation_failed");
    client.delete("/auth/sessions").await.assert_status(204);
    refresh(&app, &second["refresh_token"])
        .await
        .assert_problem(401, "session_revoked");
    refresh(&app, &owners["refresh_token"])
        .await
        .assert_status(200);
    app.anonymous
        .delete("/auth/sessions")
        .await
        .assert_problem(401, "unauthenticated");
}

async fn reauthenticate(client: &Client, password: &str) -> bz_testkit::TestResponse {
    client
        .post("/auth/reauthenticate", json!({ "password": password }))
        .await
}

#[tokio::test]
async fn the_password_makes_a_session_recent_again() {
    let app = start().await;
    let (client, first) = log_in(&app, Tenant::Acme, Role::Member).await;
    app.clock.advance(TimeDelta::minutes(9));
    let answer = reauthenticate(&client, PASSWORD).await.assert_status(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let (old, new) = (
        claims_of(&app, &first).await,
        claims_of(&app, &answer.json()).await,
    );
    assert_eq!(
        (new.sid, new.sub, new.tid, &new.amr),
        (old.sid, old.sub, old.tid, &old.amr)
    );
    assert_eq!(new.auth_time.unwrap() - old.auth_time.unwrap(), 9 * 60);
    // The session remembers: a refresh says the same.
    let refreshed = refresh(&app, &first["refresh_token"])
        .await
        .assert_status(200)
        .json();
    assert_eq!(claims_of(&app, &refreshed).await.auth_time, new.auth_time);
    let results: Vec<String> = sqlx::query_scalar(
        "SELECT result FROM identity.audit_log WHERE action = 'session.reauthenticated'",
    )
    .fetch_all(&mut app.database.admin().await)
    .await
    .unwrap();
    assert_eq!(results, ["success"]);
}

#[tokio::test]
async fn a_wrong_password_or_a_session_that_has_ended_is_not_recent() {
    let app = start().await;
    let (client, first) = log_in(&app, Tenant::Acme, Role::Member).await;
    app.clock.advance(TimeDelta::minutes(9));
    reauthenticate(&client, "wrong")
        .await
        .assert_problem(401, "invalid_credentials");
    let refreshed = refresh(&app, &first["refresh_token"])
        .await
        .assert_status(200)
        .json();
    let (old, new) = (
        claims_of(&app, &first).await,
        claims_of(&app, &refreshed).await,
    );
    assert_eq!(old.auth_time, new.auth_time);
    let logout = json!({ "refresh_token": first["refresh_token"] });
    app.anonymous
        .post("/auth/logout", logout)
        .await
        .assert_status(204);
    reauthenticate(&client, PASSWORD)
        .await
        .assert_problem(401, "session_revoked");
    client
        .post("/auth/reauthenticate", json!({}))
        .await
        .assert_problem(422, "validation_failed");
    reauthenticate(&app.anonymous, PASSWORD)
        .await
        .assert_problem(401, "unauthenticated");
}

/// Somebody who acts in the name of acme's member.
fn impersonated(app: &IdentityApp) -> Client {
    let member = Tenant::Acme.user(Role::Member);
    let by = claims::Actor {
        sub: Tenant::Acme.user(Role::Owner),
    };
    let claims = Claims {
        act: Some(by),
        ..app.tokens.user_claims(Tenant::Acme, member, &["member"])
    };
    app.anonymous.with_token(app.tokens.sign(&claims))
}

#[tokio::test]
async fn whoever_acts_for_somebody_else_does_not_touch_their_sessions() {
    let app = start().await;
    let (_, members) = log_in(&app, Tenant::Acme, Role::Member).await;
    let client = impersonated(&app);
    let path = format!("/auth/sessions/{}", members["session_id"].as_str().unwrap());
    client
        .delete(&path)
        .await
        .assert_problem(403, "impersonation_forbidden");
    client
        .delete("/auth/sessions")
        .await
        .assert_problem(403, "impersonation_forbidden");
    reauthenticate(&client, PASSWORD)
        .await
        .assert_problem(403, "impersonation_forbidden");
    let all = client.post("/auth/logout", json!({ "scope": "all" })).await;
    all.assert_problem(403, "impersonation_forbidden");
    refresh(&app, &members["refresh_token"])
        .await
        .assert_status(200);
}

/// Pitfall 16: the session of a login is always a new one.
#[tokio::test]
async fn a_login_starts_a_new_session_whatever_the_client_had_before() {
    let app = start().await;
    let (client, first) = log_in(&app, Tenant::Acme, Role::Member).await;
    let body = json!({ "email": address(Tenant::Acme, Role::Member), "password": PASSWORD });
    let again = client
        .post("/auth/login", body)
        .await
        .assert_status(200)
        .json();
    assert_ne!(again["session_id"], first["session_id"]);
    let (first, again) = (claims_of(&app, &first).await, claims_of(&app, &again).await);
    assert_eq!(first.sub, again.sub);
    assert_ne!(first.sid, again.sid);
}
