//! Switching to another tenant.

use bz_testkit::{Role, Tenant};
use chrono::TimeDelta;
use serde_json::json;

use crate::support::{
    claims, client, count, execute, guest_of_globex, logged_in, refresh, start, switch,
};

/// Pitfalls 16, 33: the session is a new one, and everything about the tenant is read again.
#[tokio::test]
async fn switching_starts_a_new_session_with_the_rights_of_that_tenant_and_leaves_the_old_one_alone()
 {
    let app = start().await;
    let (home, first) = guest_of_globex(&app, "viewer").await;
    let there = claims(&app, &first).await;
    let role = "UPDATE identity.memberships SET role = 'admin' WHERE role = 'viewer' AND user_id = \
                (SELECT id FROM identity.users WHERE home_tenant_id IS NOT NULL)";
    execute(&app, role).await;
    app.clock.advance(TimeDelta::minutes(3));
    let second = switch(&home, "globex").await.assert_status(200);
    assert_eq!(second.header("cache-control"), Some("no-store"));
    let second = second.json();
    let now = claims(&app, &second).await;
    assert_ne!(now.sid, there.sid);
    assert_eq!(
        (now.tid, now.htid, &now.sub),
        (there.tid, there.htid, &there.sub)
    );
    assert_eq!(now.roles, ["admin"]);
    // Who they are was proven at home, three minutes ago.
    assert_eq!(now.auth_time, there.auth_time);
    assert_eq!(
        (now.acr.as_deref(), &now.amr[..]),
        (Some("aal1"), &["pwd".to_owned()][..])
    );
    // The token of home is still of home.
    let me = home.get("/auth/me").await.assert_status(200).json();
    assert_eq!(
        (&me["tenant"]["slug"], &me["roles"]),
        (&json!("acme"), &json!(["member"]))
    );
    // And back again.
    let back = switch(&client(&app, &second), &Tenant::Acme.id().to_string()).await;
    let back = claims(&app, &back.assert_status(200).json()).await;
    assert_eq!(
        (back.tid, &back.roles[..]),
        (back.htid, &["member".to_owned()][..])
    );
    let audited = "SELECT count(*) FROM identity.audit_log WHERE action = 'session.switched'";
    assert_eq!(count(&app, audited).await, 2);
}

/// Pitfall 33: a removed member, a disabled user and a suspended tenant let nobody in, whatever the token says.
#[tokio::test]
async fn whoever_lost_the_right_to_be_there_cannot_switch() {
    let app = start().await;
    let (home, _) = guest_of_globex(&app, "owner").await;
    let guest = "(SELECT id FROM identity.users WHERE home_tenant_id IS NOT NULL)";
    let globex = Tenant::Globex.id();
    for (table, set, key) in [
        ("memberships", "status", format!("user_id = {guest}")),
        ("tenants", "status", String::from("true")),
    ] {
        let change = |value: &str| {
            format!(
                "UPDATE identity.{table} SET {set} = '{value}' WHERE tenant_id = '{globex}' AND {key}"
            )
        };
        execute(&app, &change("suspended")).await;
        switch(&home, "globex")
            .await
            .assert_problem(403, "not_a_member");
        execute(&app, &change("active")).await;
        switch(&home, "globex").await.assert_status(200);
    }
    for tenant in [Tenant::Globex, Tenant::Acme] {
        let change = |value: &str| {
            format!(
                "UPDATE identity.users SET status = '{value}' WHERE tenant_id = '{}' AND id = {guest}",
                tenant.id()
            )
        };
        execute(&app, &change("disabled")).await;
        switch(&home, "globex")
            .await
            .assert_problem(403, "not_a_member");
        execute(&app, &change("active")).await;
    }
    execute(
        &app,
        &format!(
            "DELETE FROM identity.memberships WHERE tenant_id = '{globex}' AND user_id = {guest}"
        ),
    )
    .await;
    switch(&home, "globex")
        .await
        .assert_problem(403, "not_a_member");
}

/// Pitfall 33: the policy of the tenant that is entered counts.
#[tokio::test]
async fn a_tenant_that_asks_for_a_second_factor_lets_only_such_sessions_in() {
    let app = start().await;
    let (home, _) = guest_of_globex(&app, "member").await;
    let policy = format!("/api/tenants/{}/policy", Tenant::Globex.id());
    let put = async |body| app.globex.owner.put(&policy, body).await.assert_status(200);
    put(json!({ "mfa_required": true })).await;
    switch(&home, "globex")
        .await
        .assert_problem(403, "step_up_required");
    let sessions = format!(
        "UPDATE identity.sessions SET acr = 'aal2', amr = '{{pwd,otp}}' WHERE tenant_id = '{}'",
        Tenant::Acme.id()
    );
    execute(&app, &sessions).await;
    let entered = switch(&home, "globex").await.assert_status(200).json();
    let claims = claims(&app, &entered).await;
    assert_eq!(
        (claims.acr.as_deref(), &claims.amr[..]),
        (Some("aal2"), &["pwd".to_owned(), "otp".to_owned()][..])
    );
    put(json!({ "ip_allow": ["192.0.2.0/24"] })).await;
    switch(&home, "globex")
        .await
        .assert_problem(403, "ip_not_allowed");
}

#[tokio::test]
async fn nobody_goes_on_from_a_session_that_has_ended() {
    let app = start().await;
    let (home, _) = guest_of_globex(&app, "member").await;
    home.post("/auth/logout", json!({}))
        .await
        .assert_status(204);
    // The services refuse the access token by themselves, soon; the switch does at once.
    let refused = switch(&home, "globex").await;
    assert_eq!(refused.status, 401, "{}", refused.describe());
    // Nor from a token of which there is no session.
    switch(&app.acme.member, "acme")
        .await
        .assert_problem(401, "session_revoked");
}

#[tokio::test]
async fn the_new_session_ends_no_later_than_the_one_it_goes_on_from() {
    let app = start().await;
    let (home, _) = guest_of_globex(&app, "member").await;
    let shorten = format!(
        "UPDATE identity.sessions SET expires_at = '2026-03-02T11:00:00Z' WHERE tenant_id = '{}'",
        Tenant::Acme.id()
    );
    execute(&app, &shorten).await;
    let entered = switch(&home, "globex").await.assert_status(200).json();
    assert_eq!(entered["refresh_expires_in"], 2 * 3600);
    app.clock.advance(TimeDelta::hours(2));
    refresh(&app, &entered["refresh_token"])
        .await
        .assert_problem(401, "refresh_token_expired");
}

#[tokio::test]
async fn a_switch_needs_a_token_and_a_tenant() {
    let app = start().await;
    switch(&app.anonymous, "acme")
        .await
        .assert_problem(401, "unauthenticated");
    let home = logged_in(&app, Tenant::Acme, Role::Viewer).await;
    for bad in [
        json!({}),
        json!({ "tenant": " " }),
        json!({ "tenant": "a", "role": "owner" }),
        json!({ "tenant": 7 }),
    ] {
        home.post("/auth/switch-tenant", bad)
            .await
            .assert_problem(422, "validation_failed");
    }
    switch(&home, "acme").await.assert_status(200);
}

/// Pitfall 29: after login the tenant comes from the token and from nowhere else.
#[tokio::test]
async fn no_header_query_or_body_makes_a_token_one_of_another_tenant() {
    let app = start().await;
    let globex = Tenant::Globex.id().to_string();
    for header in ["x-tenant-id", "x-tenant", "tenant", "x-bz-tenant-id"] {
        let me = app
            .acme
            .owner
            .get("/auth/me")
            .header(header, &globex)
            .await
            .assert_status(200)
            .json();
        assert_eq!(me["tenant"]["slug"], "acme", "{header}");
        let path = format!("/api/tenants/{globex}");
        let foreign = app.acme.owner.get(&path).header(header, &globex).await;
        foreign.assert_problem(404, "not_found");
    }
    for query in ["tenant", "tenant_id", "tid"] {
        let list = app
            .acme
            .owner
            .get(&format!("/api/invitations?{query}={globex}"))
            .await;
        list.assert_problem(422, "validation_failed");
    }
    for member in ["tenant", "tenant_id"] {
        let mut body = json!({ "email": "x@example.com", "roles": ["member"] });
        body[member] = json!(globex);
        let made = app.acme.owner.post("/api/invitations", body).await;
        made.assert_problem(422, "validation_failed");
    }
    assert_eq!(
        count(&app, "SELECT count(*) FROM identity.invitations").await,
        0
    );
}
