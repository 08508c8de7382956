//! Somebody loses rights while a session begins that would have them: whoever asks second sees what the first has done.

use std::time::Duration;

use bz_testkit::{Role, Tenant, TestRequest, TestResponse, wait_until};
use serde_json::json;

use crate::{
    mfa::{shown, with_app},
    support::{
        IdentityApp, PASSWORD, address, claims, client, count, guest_of_globex, login, start,
    },
};

/// Sends a request while a transaction is open that has done something, which is committed as soon as the request waits for
/// it, or is answered.
async fn during(app: &IdentityApp, done: &str, request: TestRequest) -> TestResponse {
    let mut other = app.database.admin().await;
    let begin = format!("BEGIN; {done}");
    sqlx::raw_sql(&begin).execute(&mut other).await.unwrap();
    let request = async { request.await };
    let commit = async {
        let mut admin = app.database.admin().await;
        let waits = async || {
            sqlx::query_scalar::<_, bool>(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')",
            )
            .fetch_one(&mut admin)
            .await
            .unwrap()
        };
        let waiting = wait_until(waits, Duration::from_secs(3));
        let _answered_without = tokio::time::timeout(Duration::from_secs(2), waiting).await;
        sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    };
    tokio::join!(request, commit).0
}

/// Pitfalls 54, 71: who becomes an admin is not impersonated by somebody who asked a moment before.
#[tokio::test]
async fn nobody_acts_in_the_name_of_somebody_who_becomes_an_admin_meanwhile() {
    let app = start().await;
    let member = Tenant::Acme.user(Role::Member);
    let (tenant, user) = (Tenant::Acme.id(), member);
    let promoted = format!(
        "SELECT 1 FROM identity.tenants WHERE tenant_id = '{tenant}' FOR NO KEY UPDATE; \
         UPDATE identity.memberships SET role = 'admin' WHERE tenant_id = '{tenant}' AND user_id = '{user}'",
    );
    let path = format!("/api/users/{member}/impersonate");
    let body = json!({ "reason": "The report does not open." });
    let request = app.acme.owner.post(&path, body);
    during(&app, &promoted, request)
        .await
        .assert_problem(403, "impersonation_forbidden");
}

/// What a change of rights does: it waits for sessions that begin, and they wait for it.
fn changed(change: &str) -> String {
    let (tenant, user) = (Tenant::Globex.id(), Tenant::Acme.user(Role::Member));
    format!(
        "SELECT 1 FROM identity.users WHERE tenant_id = '{tenant}' AND id = '{user}' FOR UPDATE; \
         {change} WHERE tenant_id = '{tenant}' AND user_id = '{user}'",
    )
}

/// Pitfalls 9, 33: a token that is made after a role was taken away does not have it.
#[tokio::test]
async fn whoever_switches_while_their_role_changes_gets_the_new_one() {
    let app = start().await;
    let (home, _) = guest_of_globex(&app, "admin").await;
    let demoted = changed("UPDATE identity.memberships SET role = 'viewer'");
    let request = home.post("/auth/switch-tenant", json!({ "tenant": "globex" }));
    let entered = during(&app, &demoted, request).await.assert_status(200);
    assert_eq!(claims(&app, &entered.json()).await.roles, ["viewer"]);
}

#[tokio::test]
async fn whoever_is_deleted_while_their_password_is_compared_has_wrong_credentials() {
    let app = start().await;
    let email = address(Tenant::Acme, Role::Member);
    let deleted = format!("DELETE FROM identity.users WHERE email = '{email}'");
    let body = json!({ "email": email, "password": PASSWORD });
    let request = app.anonymous.post("/auth/login", body);
    during(&app, &deleted, request)
        .await
        .assert_problem(401, "invalid_credentials");
}

/// Pitfall 52: the password that was right when it was compared is not the password any more when the session begins.
#[tokio::test]
async fn a_login_with_a_password_that_is_replaced_meanwhile_gets_nothing() {
    let app = start().await;
    let other = json!({ "email": "other@new.test", "password": "quite another long one" });
    let registered = app.anonymous.post("/auth/register", &other).await;
    registered.assert_status(201);
    let email = address(Tenant::Acme, Role::Member);
    let replaced = format!(
        "UPDATE identity.users SET password_hash = (SELECT password_hash FROM identity.users WHERE email = 'other@new.test') \
         WHERE email = '{email}'",
    );
    let body = json!({ "email": email, "password": PASSWORD });
    let request = app.anonymous.post("/auth/login", &body);
    during(&app, &replaced, request)
        .await
        .assert_problem(401, "invalid_credentials");
}

/// A session that is about to be stored while the user ends all of theirs, as one with a stolen password would be.
#[tokio::test]
async fn a_session_that_begins_while_all_end_ends_too() {
    let app = start().await;
    let email = address(Tenant::Acme, Role::Member);
    let session = login(&app, &email, PASSWORD)
        .await
        .assert_status(200)
        .json();
    let begun = format!(
        "WITH turn AS MATERIALIZED (SELECT tenant_id, id, created_at FROM identity.users WHERE email = '{email}' \
           FOR NO KEY UPDATE) \
         INSERT INTO identity.sessions (tenant_id, id, user_id, client_id, auth_time, last_used_at, expires_at) \
         SELECT tenant_id, gen_random_uuid(), id, 'web', created_at, created_at, created_at + interval '9 years' FROM turn",
    );
    let request = client(&app, &session).post("/auth/logout", json!({ "scope": "all" }));
    during(&app, &begun, request).await.assert_status(204);
    let alive = format!(
        "SELECT count(*) FROM identity.sessions s JOIN identity.users u ON u.id = s.user_id \
         WHERE u.email = '{email}' AND s.revoked_at IS NULL"
    );
    assert_eq!(count(&app, &alive).await, 0);
}

/// Pitfall 52: a login that waits for its second factor was begun with the old password.
#[tokio::test]
async fn a_login_that_waits_for_its_second_factor_ends_with_the_password_it_began_with() {
    for everywhere in [true, false] {
        let app = start().await;
        let (secret, _) = with_app(&app).await;
        let email = address(Tenant::Acme, Role::Member);
        let challenge = login(&app, &email, PASSWORD)
            .await
            .assert_status(200)
            .json();
        let change = json!({
            "current_password": PASSWORD, "new_password": "quite another long one", "revoke_other_sessions": everywhere,
        });
        app.acme
            .member
            .post("/auth/password/change", change)
            .await
            .assert_status(204);
        app.clock.advance(chrono::TimeDelta::seconds(30));
        let answer = json!({
            "mfa_token": challenge["mfa_token"], "method": "totp", "code": shown(&app, &secret),
        });
        app.anonymous
            .post("/auth/mfa/verify", answer)
            .await
            .assert_problem(401, "mfa_expired");
    }
}

#[tokio::test]
async fn whoever_switches_while_they_are_taken_away_is_not_a_member() {
    let app = start().await;
    let (home, _) = guest_of_globex(&app, "viewer").await;
    let removed = format!(
        "{}; DELETE FROM identity.users WHERE tenant_id = '{}' AND id = '{}'",
        changed("DELETE FROM identity.memberships"),
        Tenant::Globex.id(),
        Tenant::Acme.user(Role::Member),
    );
    let request = home.post("/auth/switch-tenant", json!({ "tenant": "globex" }));
    during(&app, &removed, request)
        .await
        .assert_problem(403, "not_a_member");
}
